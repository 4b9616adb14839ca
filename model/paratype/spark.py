"""Labels for Spark DataFrames: `label` is a narrow step, partition by partition, without a shuffle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from paratype import arrow
from paratype.types import DEFAULT_MODEL
from paratype.workers import ModelElsewhere, require

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

__all__ = ["label", "label_schema"]


def label(
    df: DataFrame, text_column: str = "text", model: str | Path = DEFAULT_MODEL, *, threads: int = 1
) -> DataFrame:
    """Return a DataFrame with the columns of `label_schema` added; rows stay in their partitions, in order.

    Nothing is computed yet, as ever in Spark. Each Python worker opens the model once and keeps it.

    Args:
        df: any DataFrame with the text column; null texts are blank ones.
        text_column: its name.
        model: name of a shipped model, or a model folder on the driver. Send a folder ``mine`` to the executors
            before, zipped, with ``spark.sparkContext.addArchive("mine.zip#mine")``, or have it under the same path
            everywhere.
        threads: how many work on a batch in each task; set ``spark.task.cpus`` to as many.

    Raises:
        KeyError: if the text column is missing, or a column to be added is there already.
        ModelRefused: if there is no such model.
        ModuleNotFoundError: without pyspark.
    """
    require("pyspark", "spark")
    from pyspark.sql.types import StructType

    there = ModelElsewhere.find(model)
    arrow.check_names(df.columns, text_column, arrow.label_schema(there.open()))
    schema = StructType([*df.schema, *label_schema(model)])
    return df.mapInArrow(partial(_labelled, text_column=text_column, model=there, threads=threads), schema)


def label_schema(model: str | Path = DEFAULT_MODEL) -> StructType:
    """Return the columns that `label` adds, as Spark's types."""
    require("pyspark", "spark")
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(arrow.label_schema(ModelElsewhere.find(model).open()))


def _labelled(
    batches: Iterable[pa.RecordBatch], *, text_column: str, model: ModelElsewhere, threads: int
) -> Iterator[pa.RecordBatch]:
    """Label what one task gets, on an executor."""
    from pyspark import SparkFiles

    opened = model.open(SparkFiles.getRootDirectory())
    return arrow.label_batches(batches, text_column=text_column, model=opened, threads=threads)
