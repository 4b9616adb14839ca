"""Arrow columns from numpy arrays, texts, and plain values of any kind, and tables whose columns come to agree.

`numpy_column` and `text_column` give what ``pa.array`` does. That, like ``to_numpy``, imports pandas where it is
installed, so that a short run would wait a sixth of a second for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["arrow_column", "common_schema", "numpy_column", "text_column", "with_schema"]


def numpy_column(values: NDArray[Any]) -> pa.Array:
    """Return numbers or truth values, of shape (n,), as an Arrow column."""
    bits = np.packbits(values, bitorder="little") if values.dtype == bool else np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(bits)])


def text_column(texts: Sequence[str]) -> pa.Array:
    """Return texts as an Arrow column of large strings.

    Lone surrogates, which have no place in UTF-8, become question marks.
    """
    encoded = [text.encode("utf-8", "replace") for text in texts]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return pa.Array.from_buffers(
        pa.large_string(), len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    )


def arrow_column(values: Sequence[Any], kind: pa.DataType | None = None) -> pa.Array:
    """Return values as an Arrow column; values that have no common type are written as JSON.

    Lone surrogates, which have no place in UTF-8, become question marks.
    """
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
        return pa.array([None if value is None else _as_text(value) for value in values], pa.string())


def common_schema(first: pa.Schema, second: pa.Schema) -> pa.Schema:
    """Return a schema that has the columns of both, in order of appearance, and takes the values of both.

    Where Arrow knows no type for the values of both, it is a string, for JSON.
    """
    fields = {field.name: field for field in first}
    for field in second:
        fields[field.name] = _common_field(fields.get(field.name, field), field)
    return pa.schema(list(fields.values()))


def _common_field(first: pa.Field, second: pa.Field) -> pa.Field:
    try:
        (field,) = pa.unify_schemas([pa.schema([first]), pa.schema([second])], promote_options="permissive")
    except pa.ArrowTypeError:
        return pa.field(first.name, pa.string())
    return field


def with_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of a schema that `common_schema` made of its own and others."""
    # A table looks a name up in time with the number of its columns.
    columns = dict(zip(table.column_names, table.columns, strict=True))
    converted = [
        _converted(columns[field.name], field) if field.name in columns else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(converted, schema=schema)


def _converted(column: pa.ChunkedArray, field: pa.Field) -> Any:
    if field.type == pa.string() != column.type and not pa.types.is_null(column.type):
        return arrow_column([value if value is None else _as_text(value) for value in column.to_pylist()])
    return column.cast(field.type)


def _as_text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text.encode("utf-8", "replace").decode()
