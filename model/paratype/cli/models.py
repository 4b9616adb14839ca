"""`paratype models` and `paratype show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paratype.cli.given import load_model, model_names

__all__ = ["models", "show"]


def models() -> None:
    """List the shipped models with their size and scores."""
    from paratype.artifact import shipped_folder, shipped_models
    from paratype.show import describe

    for name in shipped_models():
        typer.echo(describe(shipped_folder(name)))


def show(
    model: Annotated[str, typer.Argument(help="A shipped model's name or a model folder.", autocompletion=model_names)],
) -> None:
    """Print a model's labels, thresholds, provenance and card."""
    from paratype.artifact import shipped_folder, shipped_models
    from paratype.show import card

    folder = shipped_folder(model) if model in shipped_models() else Path(model)
    typer.echo(card(load_model(model), folder))
