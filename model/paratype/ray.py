"""Labels for Ray Data: an actor for ``Dataset.map_batches(..., batch_format="pyarrow")``."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from paratype.api import load
from paratype.arrow import label_table
from paratype.types import DEFAULT_MODEL

__all__ = ["Labeller"]


class Labeller:
    """Opens a model once, then adds the columns of `paratype.arrow.label_schema` to one batch after the other.

    >>> ds.map_batches(Labeller, fn_constructor_kwargs={"model": "fast"}, batch_format="pyarrow", concurrency=2)

    Args:
        text_column: name of the text column; null texts are blank ones.
        model: name of a shipped model, or a model folder as the actor sees it: one that is sent along with
            ``ray.init(runtime_env={"working_dir": folder})`` is called by its path within that folder.
        threads: how many work on a batch; give ``num_cpus`` of ``map_batches`` as many.

    Raises:
        ModelRefused: if there is no such model where the actor runs.
    """

    def __init__(self, text_column: str = "text", model: str | Path = DEFAULT_MODEL, *, threads: int = 1) -> None:
        self._options = {"text_column": text_column, "model": load(model), "threads": threads}

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Return the batch with the columns added.

        Raises:
            TypeError: for a batch in another format.
            KeyError: if the text column is missing, or a column to be added is there already.
        """
        if not isinstance(batch, pa.Table):
            raise TypeError(f'expected an Arrow table, got {type(batch).__name__}; pass batch_format="pyarrow"')
        return label_table(batch, **self._options)
