"""`python -m training`: check the corpus, fine-tune the encoder, train the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from training.corpus import CORPUS, MANIFEST, load_corpus, manifest_of

app = typer.Typer(help="From the corpus to saved models.", no_args_is_help=True, add_completion=False)


@app.command()
def check(
    write: Annotated[bool, typer.Option("--write", help="Write the manifest anew before checking.")] = False,
    real: Annotated[
        Path | None,
        typer.Option(
            help="A labelled file of real text: also look for copied text, and measure how easily written rows are "
            "told from its development part."
        ),
    ] = None,
) -> None:
    """Check every corpus row, look for near copies and leaks between groups, and compare with the manifest."""
    from training.check import copied_runs, drift, problems

    if write:
        (CORPUS / MANIFEST).write_text(json.dumps(manifest_of(), indent=2) + "\n", "utf-8")
    found = problems()
    rows = load_corpus() if not found else []
    if real is not None and rows:
        from eval.data import Part, load_labelled

        found += [f"row {row.id} copies real text" for row in copied_runs(rows, load_labelled(real).texts)]
        score, written, genuine = drift(rows, load_labelled(real, Part.development).texts)
        print(f"written rows are told from real text with balanced accuracy {score:.3f}")
        print(f"  what gives away the written ones: {', '.join(written)}")
        print(f"  what gives away the real ones:    {', '.join(genuine)}")
    for problem in found:
        print(problem)
    if found:
        raise typer.Exit(1)
    manifest = manifest_of()
    print(f"{manifest['rows']} rows, nothing wrong: {json.dumps(manifest['by_origin_and_label'])}")


@app.command()
def encoder() -> None:
    """Fine-tune the sentence encoder (needs the `encoder` extra; about half an hour on two cores)."""
    from training.train import train_encoder

    train_encoder(load_corpus(), log=print)


@app.command()
def train() -> None:
    """Fit the heads of the accurate model and the whole fast model, and save both (a few minutes, no torch)."""
    from training.train import train_models

    train_models(load_corpus(), log=print)


if __name__ == "__main__":
    app()
