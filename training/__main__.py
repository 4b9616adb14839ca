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
def add(
    file: Annotated[Path, typer.Argument(help="A table with text and label: what `paratype label --review` wrote.")],
    to: Annotated[Path, typer.Option(help="File of rows of your own, made if need be.")] = Path("my-rows.jsonl"),
    first: Annotated[
        int | None, typer.Option(min=1, help="Take so many rows from the top: those you got to.", show_default=False)
    ] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of the table; auto tells the usual ones apart.")] = "auto",
) -> None:
    """Check corrected rows by the rules of the corpus, and store them for `train --add`.

    Rows whose label is empty are left out. If anything is wrong with the others, each fault is named and nothing is
    stored.
    """
    from paratype.reading import Failure
    from training.additions import clashes, store
    from training.corrections import read_corrected

    try:
        corrected = read_corrected(
            file, first=first, encoding=encoding, on_note=lambda note: typer.echo(f"note: {note}", err=True)
        )
        _stop_at(corrected.problems + clashes(corrected.rows, load_corpus()), "nothing was stored")
        stored = store(corrected.rows.values(), to)
    except (Failure, ValueError, OSError) as error:
        _stop_at(str(error).split("\n"), "nothing was stored")
    print(f"{len(corrected.rows)} rows: {stored.new} new, {stored.replaced} replaced, {stored.kept} already in {to}")
    print(f"  {corrected.changed} where the label was changed, {corrected.skipped} without a label left out")
    if corrected.followed:
        print(f"  {corrected.followed} whose labels were left: the new label stands there for the old one")
    print(f"to learn from them: python -m training train --add {to} --output my-models")


@app.command()
def train(
    add: Annotated[
        list[Path] | None,
        typer.Option(help="Learn from these rows too, which `add` stored; may be given again.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="With --add: folder for the new models.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace models that are in that folder.")] = False,
) -> None:
    """Fit the heads of the accurate model and the whole fast model, and save both (a few minutes, no torch).

    With --add, the shipped models stay as they are; new ones, named accurate, fast and auto, go into the folder.
    """
    from training.additions import load_added
    from training.train import retrain, train_models

    if not add:
        if output or force:
            raise typer.BadParameter("--output and --force go with --add FILE; without, the shipped models are made")
        train_models(load_corpus(), log=print)
        return
    folder = _free(output, force)
    try:
        added = load_added(add)
    except ValueError as error:
        _stop_at(str(error).split("\n"), "nothing was trained")
    retrain(load_corpus(), added, folder, log=print)
    print(f"to use them: paratype label FILES --model {folder / 'accurate'}")
    print(f"to see what changed: python -m eval compare accurate {folder / 'accurate'} FILE")


def _free(output: Path | None, force: bool) -> Path:
    """Return the folder for new models."""
    from training.recipes import ARTIFACTS

    if output is None:
        raise typer.BadParameter("expected --output FOLDER with --add, for the new models; the shipped ones stay")
    if output.exists() and not output.is_dir():
        raise typer.BadParameter(f"{output} is no folder; name one, or one that does not exist yet")
    if output.resolve().is_relative_to(ARTIFACTS.resolve()):
        raise typer.BadParameter(f"{output} is where the shipped models are; name another folder")
    there = [name for name in ("accurate", "auto", "fast") if (output / name).exists()]
    if there and not force:
        raise typer.BadParameter(f"{output} has {', '.join(there)}; name another folder, or replace them with --force")
    return output


def _stop_at(problems: list[str], so: str) -> None:
    """End the command if there are problems."""
    for problem in problems:
        typer.echo(f"error: {problem}", err=True)
    if problems:
        typer.echo(f"{len(problems)} to put right; {so}", err=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
