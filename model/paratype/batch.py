"""Labelling many inputs: rows in, the same rows labelled out, nothing dropped on the way."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from paratype.arrow import label_batches, label_schema
from paratype.columns import arrow_column
from paratype.model import Model
from paratype.ngrams import text_array
from paratype.readers import Failure, Row, read_rows

__all__ = ["Labelled", "Report", "label_files", "text_name"]

_POSITION = {"source": pa.string(), "paragraph": pa.int64(), "start": pa.int64(), "end": pa.int64()}

# A batch ends at so many characters, if it has not before that as many rows as the model takes at a time.
_MOST_CHARACTERS = 1 << 24


@dataclass
class Report:
    """What a run did.

    Attributes:
        files: inputs read to their end.
        source: the input being read.
        bytes: bytes read so far.
        rows: rows labelled.
        labels: how often each label was given.
        review: rows that a person should look at.
        failures: inputs and rows that failed, each with the reason.
    """

    files: int = 0
    source: str = ""
    bytes: int = 0
    rows: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    review: int = 0
    failures: list[str] = field(default_factory=list)

    def add_bytes(self, count: int) -> None:
        """Count bytes that were read."""
        self.bytes += count

    def add(self, labelled: Labelled) -> None:
        """Count rows that were labelled."""
        self.rows += len(labelled.rows)
        self.labels.update(labelled.answers["label"].drop_null().to_pylist())
        self.review += labelled.answers["review"].true_count


@dataclass(frozen=True)
class Labelled:
    """Some rows, and what the model says of them.

    As a record or in a table, a row has its own columns (one whose name we write is renamed ``input_…``, as often as
    it takes for no two to have one name), then source, paragraph, start, end, text if that is none of its columns,
    the answers, and error.

    Attributes:
        rows: as they were read.
        answers: the columns of `paratype.arrow.label_schema`, null where a row could not be read.
        text_column: which of a row's columns is its text, if it has columns.
        text_name: what that column is called here.
        keep_text: whether the text is kept.
    """

    rows: list[Row]
    answers: pa.RecordBatch
    text_column: str
    text_name: str
    keep_text: bool

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield each row as plain values by name."""
        names = self._names()
        for row, answer in zip(self.rows, self.answers.to_pylist(), strict=True):
            record = {names[name]: value for name, value in row.columns.items() if name in names}
            record.update((name, getattr(row, name)) for name in _POSITION)
            if self.keep_text and self.text_column not in row.columns:
                record["text"] = row.text
            yield {**record, **answer, "error": row.error}

    def table(self) -> pa.Table:
        """Return the rows as an Arrow table."""
        names = self._names()
        own: dict[str, list[Any]] = {name: [None] * len(self.rows) for name in names.values()}
        texts = own.get("text", [None] * len(self.rows))
        for place, row in enumerate(self.rows):
            for name, value in row.columns.items():
                if name in names:
                    own[names[name]][place] = value
            if self.text_column not in row.columns:
                texts[place] = row.text
        columns = {name: arrow_column(values) for name, values in own.items()}
        for name, kind in _POSITION.items():
            columns[name] = arrow_column([getattr(row, name) for row in self.rows], kind)
        if self.keep_text and "text" not in own and any(text is not None for text in texts):
            columns["text"] = arrow_column(texts, pa.string())
        columns.update(zip(self.answers.schema.names, self.answers.columns, strict=True))
        columns["error"] = arrow_column([row.error for row in self.rows], pa.string())
        return pa.table(columns)

    def _names(self) -> dict[str, str]:
        """Return what each of the rows' own columns that are kept is called here."""
        own = dict.fromkeys(name for row in self.rows for name in row.columns)
        written = {*_POSITION, "text", *self.answers.schema.names, "error", self.text_name}
        others = _renamed([name for name in own if name != self.text_column], written)
        names = {self.text_column: self.text_name, **others}
        return {name: names[name] for name in own if self.keep_text or name != self.text_column}


def label_files(
    sources: Iterable[str],
    model: Model,
    *,
    report: Report,
    text_column: str = "text",
    encoding: str = "utf-8",
    keep_text: bool = True,
    threads: int | None = None,
) -> Iterator[Labelled]:
    """Yield labelled rows, some at a time, in the order of the sources (see `find_files`) and of the rows in them.

    Each thread has some in work while the next are read and the last ones used. A file that cannot be read, or a
    row, is noted in ``report.failures``; such a row is yielded with its error and without answers.
    """
    name = text_name(text_column, model)
    rows = _all_rows(sources, report, text_column, encoding)
    waiting: deque[tuple[list[Row], Future[pa.RecordBatch]]] = deque()

    def next_labelled() -> Labelled:
        batch, answers = waiting.popleft()
        labelled = Labelled(batch, answers.result(), text_column, name, keep_text)
        report.add(labelled)
        return labelled

    threads = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        for batch in _batches(rows, model.chunk):
            waiting.append((batch, pool.submit(_answers, batch, model)))
            if len(waiting) > threads:
                yield next_labelled()
        while waiting:
            yield next_labelled()


def text_name(text_column: str, model: Model) -> str:
    """Return the name that the text column of the inputs has in the records: its own, unless we write that."""
    return f"input_{text_column}" if text_column in {*_POSITION, *label_schema(model).names, "error"} else text_column


def _renamed(columns: list[str], written: set[str]) -> dict[str, str]:
    """Return the name that each column gets: its own unless we write that, and never one that another has."""
    taken = written.union(columns)
    names = {}
    for column in columns:
        name = column
        if column in written:
            while name in taken:
                name = f"input_{name}"
            taken.add(name)
        names[column] = name
    return names


def _all_rows(sources: Iterable[str], report: Report, text_column: str, encoding: str) -> Iterator[Row]:
    for report.source in sources:
        source = report.source
        try:
            for row in read_rows(source, text_column=text_column, encoding=encoding, on_bytes=report.add_bytes):
                if row.error:
                    report.failures.append(f"{source}: {row.error}")
                yield row
            report.files += 1
        except Failure as failure:
            report.failures.append(str(failure))


def _batches(rows: Iterable[Row], most_rows: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += len(row.text)
        if len(batch) == most_rows or characters > _MOST_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _answers(rows: list[Row], model: Model) -> pa.RecordBatch:
    batch = pa.record_batch({"text": text_array([row.text for row in rows])})
    (labelled,) = label_batches([batch], model=model, threads=1)
    answers = labelled.drop_columns(["text"])
    if any(row.error for row in rows):
        answers = answers.take(pa.array([None if row.error else place for place, row in enumerate(rows)], pa.int64()))
    return answers
