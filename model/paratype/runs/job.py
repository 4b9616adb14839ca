"""One run: inputs labelled into an output file, which is whole or not there, in one go or in several."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paratype.batch import Place, Report, Stopped, label_files, text_name
from paratype.model import Model
from paratype.reading import AUTO, Failure
from paratype.review import Candidates
from paratype.runs.durable import sync_file
from paratype.runs.journal import Journal, JournalRefused, check_free, open_journal
from paratype.runs.terms import Inputs, model_hash, versions
from paratype.writing.formats import FORMATS
from paratype.writing.review import write_review

__all__ = ["Job", "NothingRead", "run"]

# The manifest names so many of the failures; all of them stand in the rows or were told.
_MOST_FAILURES = 100


class NothingRead(Exception):
    """None of the inputs could be read; the report says why."""


@dataclass(frozen=True)
class Job:
    """What to label, how, and where to.

    Attributes:
        output: the file to write.
        sources: the inputs, in order.
        model: the model.
        model_name: name or folder that it was opened by.
        format: one of `paratype.writing.formats.FORMATS`.
        compression: ``gzip``, ``zstd``, or None.
        text_column, encoding, keep_text, threads, strict, evidence: see `paratype.batch.label_files`.
        raw: see `paratype.writing.writer.Writer`.
        review: the file to write the rows most worth a person's eye to, or None.
        review_rows: how many these are at most.
    """

    output: Path
    sources: list[str]
    model: Model
    model_name: str
    format: str
    compression: str | None = None
    text_column: str = "text"
    encoding: str = AUTO
    keep_text: bool = True
    raw: bool = False
    threads: int | None = None
    strict: bool = False
    evidence: bool = False
    review: Path | None = None
    review_rows: int = 0

    def settings(self) -> dict[str, Any]:
        """Return all on which the bytes of the output hang, beside the inputs."""
        return {
            "model": model_hash(self.model_name, self.model),
            "format": self.format,
            "compression": self.compression,
            "text column": self.text_column,
            "encoding": self.encoding,
            "text kept": self.keep_text,
            "raw": self.raw,
            "evidence": self.evidence,
            "review": self.review and str(self.review),
            "rows for review": self.review and self.review_rows,
            **versions(),
        }


def run(
    job: Job,
    report: Report,
    *,
    resume: bool = False,
    force: bool = False,
    on_rows: Callable[[Report], None] = lambda report: None,
) -> None:
    """Write the output of a job, or the rest of it, and beside it the manifest of the run.

    Until it is whole there is a journal beside it (`paratype.runs.journal`).

    Args:
        job: what to do.
        report: an empty one; it counts what this and earlier runs on the journal did.
        resume: whether to go on with an unfinished run, if there is one.
        force: whether to replace an output and to drop an unfinished run.
        on_rows: called with the report now and then.

    Raises:
        JournalRefused: if the output may not be written, or not be gone on with.
        NothingRead: if no input could be read.
        Stopped: if an input or a row failed, and none may; nothing is kept.
        OSError: if the output cannot be written; what was written is kept, unless there is standard input among the
            inputs.
    """
    with open_journal(job.output) as journal:
        check_free(job.output, job.review, resume=resume, force=force)
        inputs = Inputs(job.sources)
        if resume and not inputs.repeatable:
            raise JournalRefused("standard input and pipes cannot be read a second time; leave out --resume")
        terms = {"settings": job.settings(), "inputs": inputs.fingerprints, "replaces": force}
        before = journal.go_on(terms) if resume else None
        if before is None:
            before = {"seconds": 0.0, "runs": 0}
            journal.begin(terms, keep=inputs.repeatable)
        else:
            _restore(report, before)
        if "output" in before:  # only names were left to change
            journal.complete()
            return
        clock = _Clock(before)
        try:
            _write(job, journal, before, report, clock, on_rows)
        except Stopped:
            journal.forget()
            raise
        if not report.files and not report.rows:
            raise NothingRead
        report.failures += [f"{source}: changed while it was read; label it again" for source in inputs.changed()]
        journal.finish(_manifest(job, report, clock), job.compression)


class _Clock:
    """How long a job takes, in seconds, and in how many runs, those before this one included."""

    def __init__(self, before: dict[str, Any]) -> None:
        self._began = time.monotonic() - before["seconds"]
        self._runs = before["runs"] + 1

    def read(self) -> dict[str, Any]:
        return {"seconds": round(time.monotonic() - self._began, 3), "runs": self._runs}


def _restore(report: Report, before: dict[str, Any]) -> None:
    report.rows, report.review = before["rows"], before["review"]
    report.labels = Counter(before["labels"])
    if "output" in before:  # otherwise the inputs are read again, and fail again
        report.files, report.failures = before["files"], before["first_failures"]
        report.proposed = before.get("proposed", 0)


def _counts(report: Report) -> dict[str, Any]:
    return {"rows": report.rows, "labels": dict(report.labels), "review": report.review}


def _manifest(job: Job, report: Report, clock: _Clock) -> dict[str, Any]:
    return {
        **_counts(report),
        "files": report.files,
        "proposed": report.proposed,
        "failures": len(report.failures),
        "first_failures": report.failures[:_MOST_FAILURES],
        **clock.read(),
        "model_name": job.model.name,
    }


def _write(
    job: Job,
    journal: Journal,
    before: dict[str, Any],
    report: Report,
    clock: _Clock,
    on_rows: Callable[[Report], None],
) -> None:
    place = Place(report.rows, before.get("source", ""), before.get("source_rows", 0))
    labelling = label_files(
        job.sources,
        job.model,
        report=report,
        text_column=job.text_column,
        encoding=job.encoding,
        keep_text=job.keep_text,
        threads=job.threads,
        done=place,
        strict=job.strict,
        evidence=job.evidence,
    )
    name = text_name(job.text_column, job.model, evidence=job.evidence)
    with ExitStack() as stack:
        stream = stack.enter_context(journal.stream())
        writer = stack.enter_context(FORMATS[job.format](stream, journal.rows, text_column=name, raw=job.raw))
        candidates = stack.enter_context(Candidates(job.review_rows, journal.rows)) if job.review else None
        try:
            for labelled in labelling:
                writer.write(labelled)
                writer.flush()
                if candidates:
                    candidates.add(labelled)
                    candidates.flush()
                place = place.after(labelled.rows)
                where = {"source": place.source, "source_rows": place.source_rows}
                journal.mark({**_counts(report), **where, **clock.read()})
                on_rows(report)
        except Failure as failure:
            raise JournalRefused(f"the unfinished run on {job.output} cannot go on: {failure}") from failure
        journal.before_closing()
        writer.close()
        if candidates:
            report.proposed = write_review(journal.review, candidates, job.review_rows)
            sync_file(journal.review)
