"""Labelling many inputs: rows in, the same rows labelled out, nothing dropped on the way."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain, groupby, islice
from typing import Any

import pyarrow as pa

from paratype.arrow import label_batches, label_schema
from paratype.columns import arrow_column, common_schema, with_schema
from paratype.model import Model
from paratype.ngrams import text_array
from paratype.reading import AUTO, Failure, Row, read_rows, without_column
from paratype.reading.arrow_rows import ArrowRow

__all__ = ["Labelled", "Place", "Report", "Stopped", "all_rows", "label_files", "text_name"]

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
        done: how many of them, about, are labelled: documents are read whole, and labelled bit by bit.
        rows: rows labelled.
        labels: how often each label was given.
        review: rows that a person should look at.
        proposed: rows written for a person's eye.
        failures: inputs and rows that failed, each with the reason.
        notes: what a person should know of inputs that were read, such as an encoding that was guessed.
    """

    files: int = 0
    source: str = ""
    bytes: int = 0
    done: int = 0
    rows: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    review: int = 0
    proposed: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _starts: dict[str, int] = field(default_factory=dict)

    def begin(self, source: str) -> None:
        """Note that an input begins."""
        self.source, self._starts[source] = source, self.bytes

    def add_bytes(self, count: int) -> None:
        """Count bytes that were read."""
        self.bytes += count

    def add(self, labelled: Labelled) -> None:
        """Count rows that were labelled."""
        self.rows += len(labelled.rows)
        self.labels.update(labelled.answers["label"].drop_null().to_pylist())
        self.review += labelled.answers["review"].true_count
        last = labelled.rows[-1]
        self.done = self.bytes if last.end is None else min(self.bytes, self._starts.get(last.source, 0) + last.end)


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
        first: the place in its file of the first row, from 0.
    """

    rows: list[Row]
    answers: pa.RecordBatch
    text_column: str
    text_name: str
    keep_text: bool
    first: int

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield each row as plain values by name."""
        names = self._names()
        for row, answer in zip(self.rows, self.answers.to_pylist(), strict=True):
            record = {names[name]: value for name, value in self._columns(row).items() if name in names}
            record.update((name, getattr(row, name)) for name in _POSITION)
            if self.keep_text and self.text_column not in row.columns:
                record["text"] = row.text
            yield {**record, **answer, "error": row.error}

    def table(self) -> pa.Table:
        """Return the rows as an Arrow table; columns that had Arrow types keep them."""
        names = self._names()
        parts = [self._own_columns(rows, names) for rows in _runs(self.rows)]
        own = parts[0]
        if len(parts) > 1:
            schema = reduce(common_schema, (part.schema for part in parts))
            own = pa.concat_tables(with_schema(part, schema) for part in parts)
        columns = dict(zip(own.column_names, own.columns, strict=True))
        for name, kind in _POSITION.items():
            columns[name] = arrow_column([getattr(row, name) for row in self.rows], kind)
        texts = [None if self.text_column in row.columns else row.text for row in self.rows]
        if self.keep_text and any(text is not None for text in texts):
            columns["text"] = _filled(columns.get("text"), texts)
        columns.update(zip(self.answers.schema.names, self.answers.columns, strict=True))
        columns["error"] = arrow_column([row.error for row in self.rows], pa.string())
        return pa.table(columns)

    def _own_columns(self, rows: list[Row], names: dict[str, str]) -> pa.Table:
        """Return the own columns of rows that belong together (see `_runs`)."""
        first = rows[0].columns
        if isinstance(first, ArrowRow):
            batch = first.rows.batch.slice(first.place, len(rows))
            kept = [name for name in batch.schema.names if name in names]
            return _table(len(rows), {names[name]: batch.column(name) for name in kept})
        columns = list(map(self._columns, rows))
        kept = [name for name in dict.fromkeys(chain.from_iterable(columns)) if name in names]
        return _table(len(rows), {names[name]: arrow_column([own.get(name) for own in columns]) for name in kept})

    def _columns(self, row: Row) -> Mapping[str, Any]:
        """Return a row's own columns, without a text inside one of them that is not kept."""
        return row.columns if self.keep_text else without_column(row.columns, self.text_column)

    def _names(self) -> dict[str, str]:
        """Return what each of the rows' own columns that are kept is called here."""
        own = dict.fromkeys(name for row in self.rows for name in row.columns)
        written = {*_POSITION, "text", *self.answers.schema.names, "error", self.text_name}
        others = _renamed([name for name in own if name != self.text_column], written)
        names = {self.text_column: self.text_name, **others}
        return {name: names[name] for name in own if self.keep_text or name != self.text_column}


class Stopped(Exception):
    """An input or a row failed, and none may; the last of ``report.failures`` says why."""


@dataclass(frozen=True)
class Place:
    """Up to where rows are done.

    Attributes:
        rows: how many there are up to there.
        source: the file that the last of them came from.
        source_rows: how many of them came from that file.
    """

    rows: int = 0
    source: str = ""
    source_rows: int = 0

    def after(self, rows: list[Row]) -> Place:
        """Return the place after some more rows, of which there is at least one."""
        source = rows[-1].source
        # A file's rows come one after the other.
        from_it = len(rows) if rows[0].source == source else sum(row.source == source for row in rows)
        before = self.source_rows if from_it == len(rows) and source == self.source else 0
        return Place(self.rows + len(rows), source, before + from_it)


def label_files(
    sources: Iterable[str],
    model: Model,
    *,
    report: Report,
    text_column: str = "text",
    encoding: str = AUTO,
    keep_text: bool = True,
    threads: int | None = None,
    done: Place | None = None,
    strict: bool = False,
    evidence: bool = False,
) -> Iterator[Labelled]:
    """Yield labelled rows, some at a time, in the order of the sources (see `find_files`) and of the rows in them.

    Each thread has some in work while the next are read and the last ones used. A file that cannot be read, or a
    row, is noted in ``report.failures``; such a row is yielded with its error and without answers, unless ``strict``
    is set.

    Rows up to ``done`` are read but neither labelled nor yielded. If that is where some rows ended that were yielded
    before, all that follow come as they did then.

    Raises:
        Failure: if the rows up to ``done`` are not there.
        Stopped: with ``strict``, when the first input or row fails.
    """
    name = text_name(text_column, model, evidence=evidence)
    rows = all_rows(sources, report, strict, text_column=text_column, encoding=encoding)
    if done:
        _pass_over(rows, done)
    waiting: deque[tuple[list[Row], Future[pa.RecordBatch]]] = deque()
    place = done or Place()

    def next_labelled() -> Labelled:
        nonlocal place
        batch, answers = waiting.popleft()
        first = place.source_rows if batch[0].source == place.source else 0
        labelled = Labelled(batch, answers.result(), text_column, name, keep_text, first)
        place = place.after(batch)
        report.add(labelled)
        return labelled

    threads = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        for batch in _batches(rows, model.chunk):
            waiting.append((batch, pool.submit(_answers, batch, model, evidence, keep_text)))
            if len(waiting) > threads:
                yield next_labelled()
        while waiting:
            yield next_labelled()


def text_name(text_column: str, model: Model, *, evidence: bool = False) -> str:
    """Return the name that the text column of the inputs has in the records: its own, unless we write that."""
    written = {*_POSITION, *label_schema(model, evidence=evidence).names, "error"}
    return f"input_{text_column}" if text_column in written else text_column


def _runs(rows: list[Row]) -> Iterator[list[Row]]:
    """Part rows into those that stand one after the other in the same Arrow batch, and those that are in none."""

    def batch_and_offset(numbered: tuple[int, Row]) -> tuple[int, int] | None:
        number, row = numbered
        own = row.columns
        return (id(own.rows), own.place - number) if type(own) is ArrowRow else None

    for _, run in groupby(enumerate(rows), batch_and_offset):
        yield [row for _, row in run]


def _table(rows: int, columns: dict[str, pa.Array]) -> pa.Table:
    """Return a table that has so many rows even if it has no columns."""
    if columns:
        return pa.table(columns)
    return pa.Table.from_batches([pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))])


def _filled(column: pa.ChunkedArray | None, texts: list[str | None]) -> pa.Array:
    """Return texts, and where there is none what stands in a column."""
    if column is not None:
        pairs = zip(texts, column.to_pylist(), strict=True)
        texts = [own if text is None else text for text, own in pairs]
    return arrow_column(texts, pa.string())


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


def all_rows(sources: Iterable[str], report: Report, strict: bool, **options: Any) -> Iterator[Row]:
    """Yield the rows of all sources, and note in the report what could not be read; see `label_files`."""
    for source in sources:
        report.begin(source)
        try:
            for row in read_rows(source, on_bytes=report.add_bytes, on_note=report.notes.append, **options):
                if row.error:
                    report.failures.append(f"{source}: {row.error}")
                    if strict:
                        raise Stopped
                yield row
            report.files += 1
        except Failure as failure:
            report.failures.append(str(failure))
            if strict:
                raise Stopped from failure


def _pass_over(rows: Iterator[Row], done: Place) -> None:
    place = Place()
    while some := list(islice(rows, min(done.rows - place.rows, 4096))):
        place = place.after(some)
    if place != done:
        raise Failure(
            f"expected {done.rows} rows, the last of them row {done.source_rows} of {done.source}, and found "
            f"{place.rows}, the last of them row {place.source_rows} of {place.source}; start afresh"
        )


def _batches(rows: Iterable[Row], most_rows: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += max(len(row.text), row.size)
        if len(batch) == most_rows or characters > _MOST_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _answers(rows: list[Row], model: Model, evidence: bool, keep_text: bool) -> pa.RecordBatch:
    batch = pa.record_batch({"text": text_array([row.text for row in rows])})
    (labelled,) = label_batches([batch], model=model, threads=1, evidence=evidence)
    answers = labelled.drop_columns(["text"])
    if evidence and not keep_text:
        found = answers.column("evidence")
        fields = [pa.nulls(len(rows), pa.string()), found.field("start"), found.field("end")]
        offsets = pa.StructArray.from_arrays(fields, fields=list(found.type), mask=found.is_null())
        answers = answers.set_column(answers.num_columns - 1, "evidence", offsets)
    if any(row.error for row in rows):
        answers = answers.take(pa.array([None if row.error else place for place, row in enumerate(rows)], pa.int64()))
    return answers
