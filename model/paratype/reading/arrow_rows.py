"""From Parquet files to their rows, in pieces that keep Arrow's types."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from functools import cached_property
from math import isfinite
from typing import IO, Any

import pyarrow as pa

__all__ = ["ArrowRow", "ArrowRows", "is_text", "read_batches", "texts"]

# A piece has at most so many rows, and as many as make up so many bytes on the average of its row group.
_MOST_ROWS = 1024
_BYTES_PER_BATCH = 1 << 24
_BUFFER = 1 << 20


class ArrowRows:
    """Some rows of a table, as Arrow has them and as plain values.

    Attributes:
        batch: the rows with Arrow's types.
        bytes_per_row: what a row takes in memory, on the average.
    """

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch
        self.bytes_per_row: int = batch.nbytes // max(batch.num_rows, 1)

    @cached_property
    def values(self) -> dict[str, list[Any]]:
        """The columns as values that JSON has: times as ISO 8601, bytes as base 64, decimals as text."""
        return {
            name: _plain_values(column)
            for name, column in zip(self.batch.schema.names, self.batch.columns, strict=True)
        }


class ArrowRow(Mapping[str, Any]):
    """One of some rows: its plain values by column, made when they are first asked for.

    Attributes:
        rows: those it is one of.
        place: its place among them, from 0.
    """

    __slots__ = ("place", "rows")

    def __init__(self, rows: ArrowRows, place: int) -> None:
        self.rows = rows
        self.place = place

    def __getitem__(self, name: str) -> Any:
        return self.rows.values[name][self.place]

    def __contains__(self, name: object) -> bool:
        return name in self.rows.batch.schema.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows.batch.schema.names)

    def __len__(self) -> int:
        return len(self.rows.batch.schema.names)


def read_batches(
    file: IO[bytes], check: Callable[[pa.Schema], None], on_bytes: Callable[[int], None]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet file, some at a time.

    Args:
        file: open, to be read from any place.
        check: called with the schema before anything is read.
        on_bytes: called with the size of each row group when it was read.

    Raises:
        pyarrow.ArrowException, OSError: if the file is none, or damaged, after the rows before the fault.
    """
    import pyarrow.parquet as pq

    # Without a buffer, or with pre_buffer, all of a column of a row group is held at once.
    parquet = pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER)
    check(parquet.schema_arrow)
    for number in range(parquet.num_row_groups):
        group = parquet.metadata.row_group(number)
        most = _BYTES_PER_BATCH * group.num_rows // max(group.total_byte_size, 1)
        size = max(1, min(_MOST_ROWS, most))
        yield from parquet.iter_batches(batch_size=size, row_groups=[number], use_threads=False)
        on_bytes(sum(group.column(column).total_compressed_size for column in range(group.num_columns)))


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds text, or nothing but nulls."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    )


def texts(column: pa.Array) -> list[str | UnicodeDecodeError | None]:
    """Return the texts of a column; those that are not UTF-8, which Arrow does not check, as the error they give."""
    try:
        values: list[str | UnicodeDecodeError | None] = column.to_pylist()
    except UnicodeDecodeError:
        values = []
        for scalar in column:
            try:
                values.append(scalar.as_py())
            except UnicodeDecodeError as error:
                values.append(error)
    return values


def _plain_values(column: pa.Array) -> list[Any]:
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_time64(kind):  # Python knows no nanoseconds
        try:
            return [value and value.replace(" ", "T") for value in column.cast(pa.string()).to_pylist()]
        except pa.ArrowException:  # a time zone that this machine does not know
            column = column.cast(pa.int64())
    try:
        values = column.to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        values = [_plain_value(column, place) for place in range(len(column))]
    is_plain = any(test(kind) for test in (pa.types.is_integer, pa.types.is_boolean, pa.types.is_null)) or is_text(kind)
    return values if is_plain else [_plain(value) for value in values]


def _plain_value(column: pa.Array, place: int) -> Any:
    try:
        return column[place].as_py()
    except (ValueError, OverflowError, pa.ArrowException):  # dates beyond Python's, bytes that are no UTF-8
        return column.slice(place, 1).to_string().strip("[]\n ")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {str(_plain(name)): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, (date, datetime, time)) else str(value)
