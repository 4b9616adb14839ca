"""Labelling many inputs: rows in, the same rows labelled out, nothing dropped on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pyarrow as pa

from paratype.arrow import label_batches, label_schema
from paratype.model import Model
from paratype.ngrams import text_array
from paratype.readers import Failure, Row, read_rows

__all__ = ["Report", "label_files", "text_name"]

_POSITION = ("source", "paragraph", "start", "end")


@dataclass
class Report:
    """What a run did.

    Attributes:
        files: inputs read to their end.
        source: the input being read.
        bytes: bytes read so far.
        rows: rows written.
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


def label_files(
    sources: Iterable[str],
    model: Model,
    *,
    report: Report,
    text_column: str = "text",
    encoding: str = "utf-8",
    keep_text: bool = True,
) -> Iterator[list[dict[str, Any]]]:
    """Yield labelled rows, some at a time, in the order of the sources (see `find_files`) and of the rows in them.

    Each record has the input's own columns (one whose name we write is renamed ``input_…``, as often as it takes
    for no two to have one name), then source, paragraph, start, end, the columns of `paratype.arrow.label_schema`,
    and error. The text stands under `text_name` if the input has a text column, else under text. A file that cannot
    be read, or a row, is noted in ``report.failures``; such a row is yielded with its error and no label.
    """
    rows = _all_rows(sources, report, text_column, encoding)
    while batch := list(islice(rows, model.features.chunk)):
        records = list(_label(batch, model, text_column, keep_text))
        report.rows += len(records)
        report.labels.update(record["label"] for record in records if record["label"])
        report.review += sum(bool(record["review"]) for record in records)
        yield records


def text_name(text_column: str, model: Model) -> str:
    """Return the name that the text column of the inputs has in the records: its own, unless we write that."""
    return f"input_{text_column}" if text_column in _written(model) - {"text"} else text_column


def _written(model: Model) -> set[str]:
    return {*_POSITION, "text", *label_schema(model).names, "error"}


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


def _label(rows: list[Row], model: Model, text_column: str, keep_text: bool) -> Iterator[dict[str, Any]]:
    readable = [row for row in rows if row.error is None]
    batch = pa.record_batch({"text": text_array([row.text for row in readable])})
    (labelled,) = label_batches([batch], model=model)
    answers = iter(labelled.drop_columns(["text"]).to_pylist())
    unlabelled = dict.fromkeys(label_schema(model).names)
    written, text = _written(model), text_name(text_column, model)
    for row in rows:
        others = [name for name in row.columns if name != text_column]
        names = {text_column: text, **_names(others, written | {text})}
        record = {names[name]: value for name, value in row.columns.items() if keep_text or name != text_column}
        record.update((name, getattr(row, name)) for name in _POSITION)
        if keep_text and text_column not in row.columns:
            record["text"] = row.text
        record.update(next(answers) if row.error is None else unlabelled)
        record["error"] = row.error
        yield record


def _names(columns: list[str], written: set[str]) -> dict[str, str]:
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
