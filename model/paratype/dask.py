"""Labels for Dask DataFrames: `label` maps partition by partition, without a shuffle."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from paratype import arrow
from paratype.types import DEFAULT_MODEL
from paratype.workers import ModelElsewhere, require

if TYPE_CHECKING:
    from dask.dataframe import DataFrame
    from pandas import DataFrame as Frame

__all__ = ["label"]

# The threads of a worker share one model; without this, each would open it.
_OPENING = Lock()


def label(
    ddf: DataFrame, text_column: str = "text", model: str | Path = DEFAULT_MODEL, *, threads: int = 1
) -> DataFrame:
    """Return a Dask DataFrame with the columns of `paratype.arrow.label_schema` added; index and partitions stay.

    Nothing is computed yet, as ever in Dask; the columns' types are known at once. Texts are Arrow-backed strings as
    elsewhere in Dask, ``labels`` is a column of Arrow lists. Each worker opens the model once.

    Args:
        ddf: any Dask DataFrame with the text column; missing texts are blank ones.
        text_column: its name.
        model: name of a shipped model, or a model folder on the client. Send a folder to the workers before, with
            ``client.register_plugin(UploadDirectory(folder))``, or have it under the same path everywhere.
        threads: how many work on a partition.

    Raises:
        KeyError: if the text column is missing, or a column to be added is there already.
        ModelRefused: if there is no such model.
        ModuleNotFoundError: without Dask's data frames.
    """
    for package in ("dask", "pandas"):
        require(package, "dask")
    there = ModelElsewhere.find(model)
    arrow.check_names(list(map(str, ddf.columns)), text_column, arrow.label_schema(there.open()))
    options: dict[str, Any] = {"text_column": text_column, "model": there, "threads": threads}
    return ddf.map_partitions(_labelled, **options, meta=_labelled(ddf._meta, **options))


def _labelled(frame: Frame, *, text_column: str, model: ModelElsewhere, threads: int) -> Frame:
    """Label one partition, on a worker."""
    import pandas as pd

    with _OPENING:
        opened = model.open(_sent_files())
    texts = pa.table({text_column: pa.Array.from_pandas(frame[text_column])})
    added = arrow.label_table(texts, text_column=text_column, model=opened, threads=threads).drop_columns(text_column)
    strings, lists = pa.string(), pa.list_(pa.string())
    kinds = {strings: pd.StringDtype("pyarrow"), lists: pd.ArrowDtype(lists)}
    return pd.concat([frame, added.to_pandas(types_mapper=kinds.get).set_index(frame.index)], axis="columns")


def _sent_files() -> Path | None:
    """Return where ``UploadDirectory`` puts folders on a worker's machine; None on the client and without a cluster."""
    try:
        from distributed import get_worker

        return Path(get_worker().local_directory).parent
    except (ImportError, ValueError):
        return None
