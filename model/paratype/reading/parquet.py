"""From Parquet files to rows."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from paratype.reading import limits
from paratype.reading.arrow_rows import ArrowRow, ArrowRows, is_text, read_batches, texts
from paratype.reading.rows import Input, Row
from paratype.reading.sources import open_whole, suffixes

__all__ = ["read_parquet"]


def read_parquet(given: Input) -> Iterator[Row]:
    """Yield the rows of a Parquet file."""

    def check(schema: pa.Schema) -> None:
        given.check_names(schema.names)
        kind = schema.field(given.text_column).type
        if not is_text(kind):
            raise given.failure(
                f"expected text in column {given.text_column!r}, got {kind}; name another one with --text-column"
            )

    number = 0
    try:
        with open_whole(given.source, given.on_bytes) as file:
            counted = given.on_bytes if not suffixes(given.source)[1] else lambda count: None
            for batch in read_batches(file, check, counted):
                rows = ArrowRows(batch)
                for place, text in enumerate(texts(batch.column(given.text_column))):
                    number += 1
                    row = Row(given.source, "", ArrowRow(rows, place), size=rows.bytes_per_row)
                    if isinstance(text, UnicodeDecodeError):
                        row.error = f"row {number}: the text is not utf-8"
                    elif text and len(text) > limits.LONGEST_TEXT:
                        row.error = f"row {number}: the text has {limits.too_long(limits.LONGEST_TEXT)}"
                    else:
                        row.text = text or ""
                    yield row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last from names of columns
        if isinstance(error, OSError) and error.errno:
            raise
        reason = " ".join(str(error).split())
        where = f"after row {number} the Parquet file is damaged" if number else "no Parquet file, or a damaged one"
        raise given.failure(f"{where}: {reason}; get or make the file anew") from error
