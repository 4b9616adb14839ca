"""Labels for datasets: a function for ``Dataset.map(..., batched=True)`` on Arrow-formatted batches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa

from paratype.arrow import label_table
from paratype.types import DEFAULT_MODEL
from paratype.workers import ModelElsewhere

__all__ = ["labeller"]


def labeller(
    text_column: str = "text", model: str | Path = DEFAULT_MODEL, *, threads: int = 1
) -> Callable[[pa.Table], pa.Table]:
    """Return a function that adds the columns of `paratype.arrow.label_schema` to an Arrow table.

    >>> ds.with_format("arrow").map(labeller(model="fast"), batched=True, num_proc=2).with_format(None)

    It holds no model but the model's name and hash, so that it goes to other processes, each of which opens the model
    once, and the cache of datasets knows the results of one model from those of another, or of a later release.

    Args:
        text_column: name of the text column; null texts are blank ones.
        model: name of a shipped model, or a model folder.
        threads: how many work on a batch in each process.

    Raises:
        ModelRefused: if there is no such model.
    """
    return partial(_labelled, text_column=text_column, model=ModelElsewhere.find(model), threads=threads)


def _labelled(table: pa.Table, *, text_column: str, model: ModelElsewhere, threads: int) -> pa.Table:
    if not isinstance(table, pa.Table):
        raise TypeError(f'expected an Arrow table, got {type(table).__name__}; map ds.with_format("arrow")')
    return label_table(table, text_column=text_column, model=model.open(), threads=threads)
