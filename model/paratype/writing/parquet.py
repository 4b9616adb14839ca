"""From labelled rows to Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import pyarrow as pa

from paratype.columns import common_schema, with_schema
from paratype.writing.writer import Writer

if TYPE_CHECKING:
    from paratype.batch import Labelled

__all__ = ["ParquetWriter"]

# A row group has so many rows; one of long texts ends sooner, with the batch that brings it over so many bytes.
_GROUP_ROWS = 1 << 14
_GROUP_BYTES = 1 << 25


class ParquetWriter(Writer):
    """One Parquet table whose columns are those of all rows, in order of appearance, with types that fit all.

    Rows wait until the last has come, since only then the columns and their types are known: one Arrow stream after
    the other in a file, each with the columns that its rows have.
    """

    def __init__(self, stream: TextIO, folder: Path | None = None, **options: Any) -> None:
        super().__init__(stream, folder, **options)
        self._waiting = self._held_back("waiting.arrows")
        self._schema: pa.Schema | None = None
        for table in self._tables():
            self._widen(table.schema)

    def write(self, labelled: Labelled) -> None:
        """Take some rows."""
        table = labelled.table()
        self._widen(table.schema)
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_stream(self._waiting, table.schema, options=options) as stream:
            stream.write_table(table)

    def flush(self) -> None:
        """Hand on what was taken so far to the operating system."""
        self._waiting.flush()
        super().flush()

    def close(self) -> None:
        """Write the table."""
        import pyarrow.parquet as pq

        schema = self._schema or pa.schema([])
        tables = (with_schema(table, schema) for table in self._tables())
        options = {"compression": "zstd", "compression_level": 1}
        with pq.ParquetWriter(self._stream.buffer, schema, **options) as whole:
            for group in _row_groups(tables):
                whole.write_table(group, row_group_size=_GROUP_ROWS)

    def _widen(self, schema: pa.Schema) -> None:
        if schema != self._schema:
            self._schema = common_schema(self._schema or schema, schema)

    def _tables(self) -> Iterator[pa.Table]:
        end = self._waiting.seek(0, 2)
        self._waiting.seek(0)
        while self._waiting.tell() < end:
            with pa.ipc.open_stream(self._waiting) as stream:
                yield stream.read_all()


def _row_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Cut tables anew, by what is in the rows and not by when they came."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        while sum(map(len, waiting)) >= _GROUP_ROWS:
            rows = pa.concat_tables(waiting)
            yield rows.slice(0, _GROUP_ROWS).combine_chunks()
            waiting = [rows.slice(_GROUP_ROWS)]
        if sum(rows.nbytes for rows in waiting) >= _GROUP_BYTES:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting = []
    if any(map(len, waiting)):
        yield pa.concat_tables(waiting).combine_chunks()
