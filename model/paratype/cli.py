"""The command line: thin functions with the options, over functions that return data."""

from __future__ import annotations

import io
import os
import shlex
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup, TyperOption

import paratype
from paratype.streams import discard, open_closed_streams
from paratype.types import DEFAULT_MODEL

if TYPE_CHECKING:
    from paratype.batch import Report
    from paratype.model import Model
    from paratype.review import Candidates

__all__ = ["app", "main"]

# Exit codes beside 0; the last three are what a shell gives for a command that SIGINT, SIGPIPE or SIGTERM ended.
SOME_FAILED, WRONG_USAGE, NOTHING_READ, MODEL_REFUSED, FAULT = 1, 2, 3, 4, 70
INTERRUPTED, READER_GONE, TERMINATED = 130, 141, 143


class _Commands(TyperGroup):
    """The commands, which end with a message and a code, and quietly if who reads what they print goes away."""

    def get_params(self, ctx: Any) -> Any:
        params = super().get_params(ctx)
        for param in params:
            if isinstance(param, TyperOption) and param.name == "show_completion":
                param.hidden = True  # one of typer's two options for completion is enough in the help
        return params

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            discard(sys.stdout)
            discard(sys.stderr)
            raise typer.Exit(READER_GONE) from error
        except (typer.Exit, typer.BadParameter) as ending:
            if ctx.params["debug"] and ending.__cause__:
                traceback.print_exception(ending.__cause__)
            raise


app = typer.Typer(
    cls=_Commands,
    help="Say what each paragraph of conflict reporting does: attack report, threat statement, casualty figure, "
    "analysis, or none of them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",  # else the help keeps the line ends of the docstrings
    pretty_exceptions_enable=False,
)


class Format(str, Enum):
    """Ways to write labelled rows."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"
    tsv = "tsv"
    parquet = "parquet"
    html = "html"


class ExplainFormat(str, Enum):
    """Ways to write explanations."""

    table = "table"
    jsonl = "jsonl"


_TABLE_PULLS = 5

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


def main() -> None:
    """Run the command line. Its standard output is UTF-8, whatever the locale."""
    open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="\n")
    try:
        app()
    except Exception as error:
        sys.exit(_report_fault(error))


def _report_fault(error: Exception) -> int:
    """Say what happened that must not; where, if that is asked for."""
    if isinstance(error, OSError) and error.filename is None:  # a standard stream; other files are handled nearer by
        discard(sys.stdout)
        _say(f"error: cannot write standard output: {error.strerror}")
        return WRONG_USAGE
    if "--debug" in sys.argv:
        traceback.print_exception(error)
    elif isinstance(error, MemoryError):
        _say("error: out of memory; give fewer --jobs, or part the largest input")
    else:
        again = shlex.join(["paratype", "--debug", *sys.argv[1:]])
        _say(f"error: {type(error).__name__}: {error}; this is a fault of Paratype's: {again} shows where")
    return FAULT


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"paratype {paratype.__version__}")
        raise typer.Exit


def _model_names() -> list[str]:
    from paratype.artifact import shipped_models

    return list(shipped_models())


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where in the program an error came up; before the command.")
    ] = False,
) -> None:
    pass


@app.command()
def label(
    inputs: Annotated[
        list[str],
        typer.Argument(help="Files, folders (searched recursively), or - for standard input.", show_default=False),
    ],
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
            help="A shipped model's name (see `paratype models`) or a model folder.", autocompletion=_model_names
        ),
    ] = DEFAULT_MODEL,
    text_column: Annotated[
        str, typer.Option(help="Column of tables that holds the text; in JSON, a.b is inside a.")
    ] = "text",
    encoding: Annotated[
        str, typer.Option(help="Encoding of the input files; auto is UTF-8, or what the file is beyond doubt.")
    ] = "auto",
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
    _check_encoding(encoding)
    sources = _find(inputs)
    if review is not None:
        _check_review(review, output, sources, force)
    if output is not None:
        with _writing(output):
            _check_output(output, review, sources, resume, force)
    elif resume:
        raise typer.BadParameter("--resume goes on with an output file; name it with --output")
    chosen = format or _format_for(output)
    packing = _compression(output, chosen) if output else None
    options: dict[str, Any] = {
        "text_column": text_column,
        "encoding": encoding,
        "keep_text": not no_text,
        "threads": jobs,
        "strict": strict,
        "evidence": evidence,
    }
    with _interruptible(output):
        opened = _load(model)
        if output is None:
            printing = {"raw": raw, "review": review, "review_rows": review_rows, **options}
            report = _print_labels(sources, opened, chosen, quiet, **printing)
        else:
            job = {"output": output, "sources": sources, "model": opened, "model_name": model, "raw": raw, **options}
            job |= {"review": review, "review_rows": review_rows}
            report = _run({**job, "format": chosen.value, "compression": packing}, quiet, resume=resume, force=force)
    _report_failures(report, quiet)
    if not quiet:
        _say(_summary(report, output))
        if review:
            _say(f"{report.proposed} rows most worth a person's eye written to {review}")
    if report.failures:
        raise typer.Exit(SOME_FAILED)


@app.command()
def explain(
    inputs: Annotated[
        list[str],
        typer.Argument(help="Files, folders (searched recursively), or - for standard input.", show_default=False),
    ],
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
    text_column: Annotated[
        str, typer.Option(help="Column of tables that holds the text; in JSON, a.b is inside a.")
    ] = "text",
    encoding: Annotated[
        str, typer.Option(help="Encoding of the input files; auto is UTF-8, or what the file is beyond doubt.")
    ] = "auto",
) -> None:
    """Show which words and pairs of words pulled for and against each outcome, for every paragraph.

    The score of an outcome is what it starts from and all the pulls added up; what turns the scores into
    probabilities is their softmax. ^word is a word once more, as one of the first of its paragraph.

    Reads what `paratype label` reads, and ends with the same exit codes.
    """
    _check_encoding(encoding)
    sources = _find(inputs)
    chosen = format or (ExplainFormat.table if sys.stdout.isatty() else ExplainFormat.jsonl)
    most = _TABLE_PULLS if top is None and chosen is ExplainFormat.table else top
    with _interruptible(None):
        opened = _explainable(model, label)
        report = _print_explanations(sources, opened, chosen, label, most, text_column=text_column, encoding=encoding)
    _report_failures(report, quiet=False)
    if not report.files and not report.rows:
        raise typer.Exit(NOTHING_READ)
    if report.failures:
        raise typer.Exit(SOME_FAILED)


def _explainable(name: str, label: str | None) -> Model:
    from paratype.explain import explain as explain_texts

    model = _load(name)
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
    with _writing(None):
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


@app.command()
def models() -> None:
    """List the shipped models with their size and scores."""
    from paratype.artifact import shipped_folder, shipped_models
    from paratype.show import describe

    for name in shipped_models():
        typer.echo(describe(shipped_folder(name)))


@app.command()
def show(
    model: Annotated[
        str, typer.Argument(help="A shipped model's name or a model folder.", autocompletion=_model_names)
    ],
) -> None:
    """Print a model's labels, thresholds, provenance and card."""
    from paratype.artifact import shipped_folder, shipped_models
    from paratype.show import card

    folder = shipped_folder(model) if model in shipped_models() else Path(model)
    typer.echo(card(_load(model), folder))


def _find(inputs: list[str]) -> list[str]:
    from paratype.reading import COMPRESSIONS, SUFFIXES, find_files

    sources = list(find_files(inputs))
    if not sources:
        kinds = f"{' '.join(SUFFIXES)}, or these with {' or '.join(COMPRESSIONS)} after that"
        _say(f"error: no readable file in {', '.join(inputs)}; expected {kinds}")
        raise typer.Exit(NOTHING_READ)
    return sources


def _check_encoding(encoding: str) -> None:
    if encoding == "auto":
        return
    try:
        "a".encode(encoding)  # refuses codecs that are none of texts, unlike a look-up
    except (LookupError, UnicodeError):
        raise typer.BadParameter(f"unknown encoding {encoding!r}; try auto, utf-8, cp1252, cp1256 or utf-16") from None


def _check_review(review: Path, output: Path | None, sources: list[str], force: bool) -> None:
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


def _check_output(output: Path, review: Path | None, sources: list[str], resume: bool, force: bool) -> None:
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


def _format_for(output: Path | None) -> Format:
    if output is None:
        return Format.table if sys.stdout.isatty() else Format.jsonl
    from paratype.reading import suffixes

    suffix, _ = suffixes(output.name)
    if suffix not in _SUFFIXES:
        raise typer.BadParameter(
            f"cannot tell the format from {output.name!r}; end it in .jsonl, .csv, .parquet or .html, or give --format"
        )
    return _SUFFIXES[suffix]


def _compression(output: Path, format: Format) -> str | None:
    from paratype.reading import COMPRESSIONS, suffixes

    _, packed = suffixes(output.name)
    if packed and format is Format.parquet:
        raise typer.BadParameter(f"Parquet is compressed inside; leave out {packed}")
    return COMPRESSIONS[packed] if packed else None


def _load(name: str) -> Model:
    from paratype.api import load

    try:
        return load(name)
    except paratype.ModelRefused as refusal:
        _say(f"error: {refusal}")
        raise typer.Exit(MODEL_REFUSED) from refusal


class _Terminated(KeyboardInterrupt):
    """SIGTERM came, which ends a run as an interrupt does."""


def _terminate(number: int, frame: object) -> None:
    raise _Terminated


@contextmanager
def _interruptible(output: Path | None) -> Iterator[None]:
    # Whoever runs this in a thread, or ignores the signal, has reasons.
    ours = threading.current_thread() is threading.main_thread()
    ours = ours and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except KeyboardInterrupt as interrupt:
        word, code = ("terminated", TERMINATED) if isinstance(interrupt, _Terminated) else ("interrupted", INTERRUPTED)
        _say(word + (_kept(output) or "; nothing was written to the output file" if output else ""))
        raise typer.Exit(code) from interrupt
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _kept(output: Path) -> str:
    """Return what to say of the rows that a run on the output has left; nothing if there are none."""
    from paratype.runs.journal import JournalRefused, unfinished

    try:
        progress = unfinished(output)
    except (OSError, JournalRefused):
        return ""
    return f"; the rows so far are kept ({progress['rows']}); go on with --resume" if progress else ""


@contextmanager
def _writing(output: Path | None) -> Iterator[None]:
    """End the run with a message if the output cannot be written."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if output is None:
            discard(sys.stdout)
        reason = os.strerror(error.errno) if error.errno else error
        kept = _kept(output) if output else ""
        _say(f"error: cannot write {output or 'standard output'}: {reason}{kept}")
        raise typer.Exit(WRONG_USAGE) from error


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
    with _writing(None), _stoppable(report, quiet), _progress(sources, quiet) as progress:
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
        _report_failures(report, quiet)
        raise typer.Exit(NOTHING_READ)
    if review:
        with _writing(review):
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
        with _writing(job["output"]), _stoppable(report, quiet), _progress(job["sources"], quiet) as progress:
            run(Job(**job), report, on_rows=progress, **how)
    except JournalRefused as refusal:
        raise typer.BadParameter(str(refusal)) from refusal
    except NothingRead as nothing:
        _report_failures(report, quiet)
        raise typer.Exit(NOTHING_READ) from nothing
    return report


@contextmanager
def _stoppable(report: Report, quiet: bool) -> Iterator[None]:
    """End the run at a failure, if it is to be strict."""
    from paratype.batch import Stopped

    try:
        yield
    except Stopped as stopped:
        _report_failures(report, quiet)
        raise typer.Exit(SOME_FAILED) from stopped


def _report_failures(report: Report, quiet: bool) -> None:
    for note in () if quiet else report.notes:
        _say(f"note: {note}")
    for failure in report.failures:
        _say(f"error: {failure}")


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


def _say(message: str) -> None:
    from paratype.writing.terminal import printable

    try:
        typer.echo(printable(message), err=True)
    except BrokenPipeError:
        raise
    except OSError:  # a full disk, say: a run does not fail for want of messages
        discard(sys.stderr)
