"""Labels for Arrow record batches: the one function that the command line and every engine call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from paratype.api import load
from paratype.columns import numpy_column, text_column
from paratype.model import Model, Scores
from paratype.ngrams import text_array
from paratype.types import DEFAULT_MODEL

__all__ = ["check_names", "label_batches", "label_columns", "label_schema", "label_table"]

# Probabilities are written with so many digits: more than anyone reads, few enough that they are the same
# whatever the size of the batch.
_DIGITS = 4

_EVIDENCE = pa.struct([("text", pa.string()), ("start", pa.int64()), ("end", pa.int64())])


def label_batches(
    batches: Iterable[pa.RecordBatch],
    *,
    text_column: str = "text",
    model: str | Model = DEFAULT_MODEL,
    threads: int | None = None,
    evidence: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Yield each record batch with the columns of `label_schema` added, rows in order.

    Batches are taken one at a time, so memory does not grow with their number.

    Args:
        batches: record batches, each with the text column, of any of Arrow's string types; null texts are blank ones.
        text_column: its name.
        model: an open model, name of a shipped one, or a model folder.
        threads: how many work on a batch at most; as many as there are processors if None. The word model gives a
            thread thousands of rows at a time, so that it needs larger batches to use several.
        evidence: whether to find the sentence that carries each label.

    Raises:
        KeyError: if a batch lacks the text column (the columns there are named) or has one of those to be added.
    """
    model = model if isinstance(model, Model) else load(model)
    added = label_schema(model, evidence=evidence)
    for batch in batches:
        check_names(batch.schema.names, text_column, added)
        texts = text_array(batch.column(text_column))
        scores = model.score(texts, threads=threads)
        columns = label_columns(model, scores)
        if evidence:
            columns.append(_evidence_column(texts, model.evidence(texts, scores, threads=threads)))
        yield pa.RecordBatch.from_arrays(
            [*batch.columns, *columns], schema=pa.schema([*batch.schema, *added], batch.schema.metadata)
        )


def label_table(table: pa.Table, **options: Any) -> pa.Table:
    """Return a table with the columns of `label_schema` added; the options are those of `label_batches`."""
    batches = table.to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
    return pa.Table.from_batches(label_batches(batches, **options))


def check_names(names: Sequence[str], text_column: str, added: pa.Schema) -> None:
    """Refuse columns (KeyError) that lack the text column, or have one of those to be added."""
    if text_column not in names:
        raise KeyError(f"expected a column {text_column!r}, got {', '.join(names)}; name it with text_column")
    if taken := [name for name in added.names if name in names]:
        raise KeyError(f"the batch already has {', '.join(taken)}; rename or drop them first")


def label_schema(model: Model, *, evidence: bool = False) -> pa.Schema:
    """Return the columns that labelling adds: label, score, labels, review, and one probability per outcome.

    If asked for, ``evidence`` comes last: the sentence that carries the label, and its character offsets into the text;
    null for ``none``.
    """
    return pa.schema(
        [
            ("label", pa.string()),
            ("score", pa.float64()),
            ("labels", pa.list_(pa.string())),
            ("review", pa.bool_()),
            *((f"p_{outcome}", pa.float64()) for outcome in model.decision.outcomes),
            *([("evidence", _EVIDENCE)] if evidence else []),
        ]
    )


def label_columns(model: Model, scores: Scores) -> list[pa.Array]:
    """Return the columns of `label_schema` for some scores, without evidence."""
    decision = model.decision
    outcomes, names = (text_column(names).cast(pa.string()) for names in (decision.outcomes, decision.types))
    _, types = np.nonzero(scores.stated)
    offsets = np.concatenate([[0], np.cumsum(scores.stated.sum(axis=1))]).astype(np.int32)
    stated = names.take(numpy_column(types))
    rounded = np.round(scores.outcomes, _DIGITS)
    return [
        outcomes.take(numpy_column(scores.label)),
        numpy_column(np.round(scores.score, _DIGITS)),
        pa.ListArray.from_arrays(numpy_column(offsets), stated),
        numpy_column(scores.review),
        *map(numpy_column, rounded.T),
    ]


def _evidence_column(texts: pa.Array, spans: list[tuple[int, int] | None]) -> pa.Array:
    pairs = zip(texts.to_pylist(), spans, strict=True)
    found = [{"text": text[slice(*span)], "start": span[0], "end": span[1]} if span else None for text, span in pairs]
    return pa.array(found, _EVIDENCE)
