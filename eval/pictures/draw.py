"""Which pictures there are, and where they go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from eval.pictures.beside import learning_curve, speed
from eval.pictures.one_model import confusion, coverage, reliability, types
from eval.pictures.style import COLOURS, SETTINGS, save

__all__ = ["draw"]


def draw(results: dict[str, Any], root: Path) -> list[Path]:
    """Draw what the results hold: pictures of a model into its folder, of several into ``docs/pictures``.

    Args:
        results: as stored, with ``curve`` and ``peers`` if there are any.
        root: the folder of the project.

    Returns:
        The paths of the pictures; what was not measured is not drawn.
    """
    with rc_context(SETTINGS):
        return [save(figure, root / path) for path, figure in _figures(results)]


def _figures(results: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    held_out = results.get("real", {}).get("held-out", {})
    models = {name: held_out[name] for name in COLOURS if name in held_out}
    for name, scores in models.items():
        for picture in (confusion, types, reliability):
            yield f"artifacts/{name}/{picture.__name__}.png", picture(name, scores)
        yield f"artifacts/{name}/coverage.png", coverage(name, models)
    if results.get("curve"):
        yield "docs/pictures/learning-curve.png", learning_curve(results["curve"])
    if results.get("peers"):
        yield "docs/pictures/speed.png", speed(results["peers"]["peers"])
