"""The ways to write labelled rows, by name."""

from __future__ import annotations

from paratype.parquet_writer import ParquetWriter
from paratype.writers import CsvWriter, JsonlWriter, TableWriter, TsvWriter, Writer

__all__ = ["FORMATS"]

FORMATS: dict[str, type[Writer]] = {
    "jsonl": JsonlWriter,
    "csv": CsvWriter,
    "tsv": TsvWriter,
    "parquet": ParquetWriter,
    "table": TableWriter,
}
"""The ways to write labelled rows, by name."""
