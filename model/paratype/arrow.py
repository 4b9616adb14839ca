"""Labels for Arrow record batches: the one function that the command line and every engine call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from paratype.api import load
from paratype.model import Model, Scores
from paratype.ngrams import text_array
from paratype.types import DEFAULT_MODEL

__all__ = ["label_batches", "label_columns", "label_schema"]

# Probabilities are written with so many digits: more than anyone reads, few enough that they are the same
# whatever the size of the batch.
_DIGITS = 4


def label_batches(
    batches: Iterable[pa.RecordBatch], *, text_column: str = "text", model: str | Model = DEFAULT_MODEL
) -> Iterator[pa.RecordBatch]:
    """Yield each record batch with the columns of `label_schema` added, rows in order.

    Null texts are blank ones. Batches are taken one at a time, so memory does not grow with their number.

    Raises:
        KeyError: if a batch lacks the text column (the columns there are named) or has one of those to be added.
    """
    model = model if isinstance(model, Model) else load(model)
    added = label_schema(model)
    for batch in batches:
        names = batch.schema.names
        if text_column not in names:
            raise KeyError(f"expected a column {text_column!r}, got {', '.join(names)}; name it with text_column")
        if taken := [name for name in added.names if name in names]:
            raise KeyError(f"the batch already has {', '.join(taken)}; rename or drop them first")
        columns = label_columns(model, model.score(text_array(batch.column(text_column))))
        yield pa.RecordBatch.from_arrays(
            [*batch.columns, *columns], schema=pa.schema([*batch.schema, *added], batch.schema.metadata)
        )


def label_schema(model: Model) -> pa.Schema:
    """Return the columns that labelling adds: label, score, labels, review, and one probability per outcome."""
    return pa.schema(
        [
            ("label", pa.string()),
            ("score", pa.float64()),
            ("labels", pa.list_(pa.string())),
            ("review", pa.bool_()),
            *((f"p_{outcome}", pa.float64()) for outcome in model.decision.outcomes),
        ]
    )


def label_columns(model: Model, scores: Scores) -> list[pa.Array]:
    """Return the columns of `label_schema` for some scores."""
    outcomes = pa.array(model.decision.outcomes)
    _, types = np.nonzero(scores.stated)
    offsets = np.concatenate([[0], np.cumsum(scores.stated.sum(axis=1))]).astype(np.int32)
    stated = pa.array(model.decision.types).take(pa.array(types))
    rounded = np.round(scores.outcomes, _DIGITS)
    return [
        outcomes.take(pa.array(scores.label)),
        pa.array(np.round(scores.score, _DIGITS)),
        pa.ListArray.from_arrays(pa.array(offsets), stated),
        pa.array(scores.review),
        *(pa.array(np.ascontiguousarray(column)) for column in rounded.T),
    ]
