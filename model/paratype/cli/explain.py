"""`paratype explain`."""

from __future__ import annotations

import sys
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paratype.cli.ending import NOTHING_READ, SOME_FAILED, interruptible, report_failures, writing
from paratype.cli.given import Encoding, Inputs, TextColumn, check_encoding, find, load_model

if TYPE_CHECKING:
    from paratype.batch import Report
    from paratype.model import Model

__all__ = ["explain"]

_TABLE_PULLS = 5


class ExplainFormat(str, Enum):
    """Ways to write explanations."""

    table = "table"
    jsonl = "jsonl"


def explain(
    inputs: Inputs,
    format: Annotated[
        ExplainFormat | None,
        typer.Option("--format", "-f", help="By default table on a terminal, jsonl in a pipe.", show_default=False),
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Explain the score of this outcome alone.", show_default=False)
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="So many words and pairs for each outcome, and as many against it; the rest is added up. By default "
            "5 in a table, all in jsonl.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="A word model: fast, or a folder of your own.")] = "fast",
    text_column: TextColumn = "text",
    encoding: Encoding = "auto",
) -> None:
    """Show which words and pairs of words pulled for and against each outcome, for every paragraph.

    The score of an outcome is what it starts from and all the pulls added up; what turns the scores into
    probabilities is their softmax. ^word is a word once more, as one of the first of its paragraph.

    Reads what `paratype label` reads, and ends with the same exit codes.
    """
    check_encoding(encoding)
    sources = find(inputs)
    chosen = format or (ExplainFormat.table if sys.stdout.isatty() else ExplainFormat.jsonl)
    most = _TABLE_PULLS if top is None and chosen is ExplainFormat.table else top
    with interruptible(None):
        opened = _explainable(model, label)
        report = _print_explanations(sources, opened, chosen, label, most, text_column=text_column, encoding=encoding)
    report_failures(report, quiet=False)
    if not report.files and not report.rows:
        raise typer.Exit(NOTHING_READ)
    if report.failures:
        raise typer.Exit(SOME_FAILED)


def _explainable(name: str, label: str | None) -> Model:
    from paratype.explain import explain as explain_texts

    model = load_model(name)
    try:
        explain_texts(model, [])
    except ValueError as refusal:
        raise typer.BadParameter(str(refusal)) from refusal
    if label not in (None, *model.decision.outcomes):
        raise typer.BadParameter(f"unknown label {label!r}; the model has {', '.join(model.decision.outcomes)}")
    return model


def _print_explanations(
    sources: list[str], model: Model, format: ExplainFormat, label: str | None, top: int | None, **options: Any
) -> Report:
    from paratype.batch import Report, all_rows
    from paratype.explain import explain as explain_texts
    from paratype.writing.explained import explanation_line, print_explanation

    report = Report()
    with writing(None):
        for row in all_rows(sources, report, False, **options):
            if row.error:
                continue
            report.rows += 1
            (explanation,) = explain_texts(model, [row.text])
            if format is ExplainFormat.table:
                print_explanation(sys.stdout, row, explanation, label=label, top=top)
            else:
                sys.stdout.write(explanation_line(row, explanation, label=label, top=top) + "\n")
        sys.stdout.flush()
    return report
