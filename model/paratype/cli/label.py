"""`paratype label`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paratype.cli.ending import NOTHING_READ, SOME_FAILED, interruptible, report_failures, say, stoppable, writing
from paratype.cli.given import (
    Encoding,
    Format,
    Inputs,
    TextColumn,
    check_encoding,
    check_output,
    check_review,
    compression_of,
    find,
    format_for,
    load_model,
    model_names,
)
from paratype.types import DEFAULT_MODEL

if TYPE_CHECKING:
    from paratype.batch import Report
    from paratype.model import Model
    from paratype.review import Candidates

__all__ = ["label"]


def label(
    inputs: Inputs,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write here; standard output if not given.")
    ] = None,
    format: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            help="By default the output's suffix decides; else table on a terminal, jsonl in a pipe.",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="A shipped model's name (see `paratype models`) or a model folder.", autocompletion=model_names
        ),
    ] = DEFAULT_MODEL,
    text_column: TextColumn = "text",
    encoding: Encoding = "auto",
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, help="Threads to use; by default one for each processor.", show_default=False
        ),
    ] = None,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Add the sentence that carries the label, with its offsets in the text.")
    ] = False,
    no_text: Annotated[bool, typer.Option("--no-text", help="Leave the text out of the output.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Leave cells that a spreadsheet takes for formulas as they are (CSV, TSV).")
    ] = False,
    review: Annotated[
        Path | None,
        typer.Option(
            help="Also write here (.csv) the rows most worth a person's eye: least certain first, and each as "
            "different as can be from those before it; always with their text, of up to 220 words.",
        ),
    ] = None,
    review_rows: Annotated[
        int, typer.Option(min=1, max=5000, help="How many rows to write for a person's eye, at most.")
    ] = 100,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run on the output file that was stopped.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an output file that exists; drop a run that was stopped.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop when an input or a row fails, and write no output file.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print no progress, no notes and no summary, only failures.")
    ] = False,
) -> None:
    """Label every paragraph of documents (.txt .md .html) and every row of tables (.jsonl .json .csv .tsv .parquet).

    Each may be compressed (.gz .zst).

    One row comes out for every row that goes in, in the same order. Results go to standard output or the output
    file, everything else to standard error.

    Exit codes: 0 all done; 1 finished, but some inputs or rows failed (each is named); 2 wrong usage, or the output
    cannot be written; 3 nothing could be read; 4 the model was refused; 70 a fault of Paratype; 130 interrupted;
    141 the reader of standard output went away; 143 terminated.
    """
    check_encoding(encoding)
    sources = find(inputs)
    if review is not None:
        check_review(review, output, sources, force)
    if output is not None:
        with writing(output):
            check_output(output, review, sources, resume, force)
    elif resume:
        raise typer.BadParameter("--resume goes on with an output file; name it with --output")
    chosen = format or format_for(output)
    packing = compression_of(output, chosen) if output else None
    options: dict[str, Any] = {
        "text_column": text_column,
        "encoding": encoding,
        "keep_text": not no_text,
        "threads": jobs,
        "strict": strict,
        "evidence": evidence,
    }
    with interruptible(output):
        opened = load_model(model)
        if output is None:
            printing = {"raw": raw, "review": review, "review_rows": review_rows, **options}
            report = _print_labels(sources, opened, chosen, quiet, **printing)
        else:
            job = {"output": output, "sources": sources, "model": opened, "model_name": model, "raw": raw, **options}
            job |= {"review": review, "review_rows": review_rows}
            report = _run({**job, "format": chosen.value, "compression": packing}, quiet, resume=resume, force=force)
    report_failures(report, quiet)
    if not quiet:
        say(_summary(report, output))
        if review:
            say(f"{report.proposed} rows most worth a person's eye written to {review}")
    if report.failures:
        raise typer.Exit(SOME_FAILED)


def _print_labels(
    sources: list[str],
    model: Model,
    format: Format,
    quiet: bool,
    *,
    text_column: str,
    raw: bool,
    review: Path | None,
    review_rows: int,
    **options: Any,
) -> Report:
    from paratype.batch import Report, label_files, text_name
    from paratype.review import Candidates
    from paratype.writing.formats import FORMATS

    report = Report()
    with writing(None), stoppable(report, quiet), _progress(sources, quiet) as progress:
        name = text_name(text_column, model, evidence=options["evidence"])
        candidates = Candidates(review_rows)
        with FORMATS[format.value](sys.stdout, text_column=name, raw=raw) as writer:
            for labelled in label_files(sources, model, report=report, text_column=text_column, **options):
                writer.write(labelled)
                if review:
                    candidates.add(labelled)
                progress(report)
            writer.close()
        sys.stdout.flush()
    if not report.files and not report.rows:
        report_failures(report, quiet)
        raise typer.Exit(NOTHING_READ)
    if review:
        with writing(review):
            report.proposed = _write_review(review, candidates, review_rows)
    return report


def _write_review(review: Path, candidates: Candidates, rows: int) -> int:
    from paratype.runs.durable import copy_whole
    from paratype.writing.review import write_review

    with tempfile.TemporaryDirectory() as scratch:
        count = write_review(Path(scratch) / "review", candidates, rows)
        copy_whole(Path(scratch) / "review", review)
    return count


def _run(job: dict[str, Any], quiet: bool, **how: bool) -> Report:
    from paratype.batch import Report
    from paratype.runs.job import Job, NothingRead, run
    from paratype.runs.journal import JournalRefused

    report = Report()
    try:
        with writing(job["output"]), stoppable(report, quiet), _progress(job["sources"], quiet) as progress:
            run(Job(**job), report, on_rows=progress, **how)
    except JournalRefused as refusal:
        raise typer.BadParameter(str(refusal)) from refusal
    except NothingRead as nothing:
        report_failures(report, quiet)
        raise typer.Exit(NOTHING_READ) from nothing
    return report


def _progress(sources: list[str], quiet: bool) -> AbstractContextManager[Callable[[Report], None]]:
    if quiet or not sys.stderr.isatty():
        return nullcontext(lambda report: None)
    from paratype.progress import show_progress

    known = "-" not in sources
    return show_progress(sys.stderr, sum(_size(source) for source in sources) if known else None)


def _size(source: str) -> int:
    try:
        return Path(source).stat().st_size
    except OSError:  # it will be named when its turn comes
        return 0


def _summary(report: Report, output: Path | None) -> str:
    counts = ", ".join(f"{count:,} {name}" for name, count in report.labels.most_common())
    where = f"{_counted(report.rows, 'row')} from {_counted(report.files, 'file')}"
    where += f" written to {output}" if output else ""
    return f"{where}: {counts or 'nothing to label'}; {report.review:,} to review, {len(report.failures):,} failed"


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}"
