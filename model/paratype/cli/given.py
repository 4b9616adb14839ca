"""What commands are given: checked, before anything is read or written."""

from __future__ import annotations

import os
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import paratype
from paratype.cli.ending import MODEL_REFUSED, NOTHING_READ, say

if TYPE_CHECKING:
    from paratype.model import Model

__all__ = [
    "Encoding",
    "Format",
    "Inputs",
    "TextColumn",
    "check_encoding",
    "check_output",
    "check_review",
    "compression_of",
    "find",
    "format_for",
    "load_model",
    "model_names",
]


Inputs = Annotated[
    list[str],
    typer.Argument(help="Files, folders (searched recursively), or - for standard input.", show_default=False),
]
TextColumn = Annotated[str, typer.Option(help="Column of tables that holds the text; in JSON, a.b is inside a.")]
Encoding = Annotated[
    str, typer.Option(help="Encoding of the input files; auto is UTF-8, or what the file is beyond doubt.")
]


class Format(str, Enum):
    """Ways to write labelled rows."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"
    tsv = "tsv"
    parquet = "parquet"
    html = "html"


_SUFFIXES = {
    ".jsonl": Format.jsonl,
    ".ndjson": Format.jsonl,
    ".csv": Format.csv,
    ".tsv": Format.tsv,
    ".parquet": Format.parquet,
    ".html": Format.html,
    ".htm": Format.html,
    ".txt": Format.table,
}


def model_names() -> list[str]:
    """Return the names of the shipped models, for completion."""
    from paratype.artifact import shipped_models

    return list(shipped_models())


def find(inputs: list[str]) -> list[str]:
    """Return the files that the inputs name, of which there must be some."""
    from paratype.reading import COMPRESSIONS, SUFFIXES, find_files

    sources = list(find_files(inputs))
    if not sources:
        kinds = f"{' '.join(SUFFIXES)}, or these with {' or '.join(COMPRESSIONS)} after that"
        say(f"error: no readable file in {', '.join(inputs)}; expected {kinds}")
        raise typer.Exit(NOTHING_READ)
    return sources


def check_encoding(encoding: str) -> None:
    """Refuse what is no encoding of texts."""
    if encoding == "auto":
        return
    try:
        "a".encode(encoding)  # refuses codecs that are none of texts, unlike a look-up
    except (LookupError, UnicodeError):
        raise typer.BadParameter(f"unknown encoding {encoding!r}; try auto, utf-8, cp1252, cp1256 or utf-16") from None


def check_review(review: Path, output: Path | None, sources: list[str], force: bool) -> None:
    """Refuse a file for review that cannot be written, or that would replace something else."""
    from paratype.runs.journal import manifest_path

    if review.suffix.lower() != ".csv":
        raise typer.BadParameter(f"--review writes CSV; end {review.name!r} in .csv")
    if not review.parent.is_dir():
        raise typer.BadParameter(f"the folder {review.parent} does not exist; make it first")
    if review.exists() and not review.is_file():
        raise typer.BadParameter(f"{review} is no file; name one to write")
    place = os.path.realpath(review)
    if output and place in map(os.path.realpath, (output, manifest_path(output))):
        raise typer.BadParameter(f"--review {review} is where the output goes; write somewhere else")
    if place in (os.path.realpath(source) for source in sources if source != "-"):
        raise typer.BadParameter(f"{review} is among the inputs; write somewhere else")
    if output is None and review.exists() and not force:
        raise typer.BadParameter(f"{review} exists; choose another name, or replace it with --force")


def check_output(output: Path, review: Path | None, sources: list[str], resume: bool, force: bool) -> None:
    """Refuse an output that cannot be written, or that would replace something without being asked to."""
    from paratype.runs.journal import JournalRefused, check_free, open_journal

    if resume and force:
        raise typer.BadParameter("--resume goes on with what is there, --force starts afresh; give one of them")
    if not output.parent.is_dir():
        raise typer.BadParameter(f"the folder {output.parent} does not exist; make it first")
    if output.exists() and not output.is_file():
        raise typer.BadParameter(f"{output} is no file; name one to write")
    if os.path.realpath(output) in (os.path.realpath(source) for source in sources if source != "-"):
        raise typer.BadParameter(f"{output} is among the inputs; write somewhere else")
    try:
        with open_journal(output):  # to be sure before the model is opened; it will be opened again
            check_free(output, review, resume=resume, force=force)
    except JournalRefused as refusal:
        raise typer.BadParameter(str(refusal)) from refusal


def format_for(output: Path | None) -> Format:
    """Return the format that the output's suffix names; without an output, what suits standard output."""
    if output is None:
        return Format.table if sys.stdout.isatty() else Format.jsonl
    from paratype.reading import suffixes

    suffix, _ = suffixes(output.name)
    if suffix not in _SUFFIXES:
        raise typer.BadParameter(
            f"cannot tell the format from {output.name!r}; end it in .jsonl, .csv, .parquet or .html, or give --format"
        )
    return _SUFFIXES[suffix]


def compression_of(output: Path, format: Format) -> str | None:
    """Return how the output's suffix says that it is compressed."""
    from paratype.reading import COMPRESSIONS, suffixes

    _, packed = suffixes(output.name)
    if packed and format is Format.parquet:
        raise typer.BadParameter(f"Parquet is compressed inside; leave out {packed}")
    return COMPRESSIONS[packed] if packed else None


def load_model(name: str) -> Model:
    """Return a model, or end with what was wrong with it."""
    from paratype.api import load

    try:
        return load(name)
    except paratype.ModelRefused as refusal:
        say(f"error: {refusal}")
        raise typer.Exit(MODEL_REFUSED) from refusal
