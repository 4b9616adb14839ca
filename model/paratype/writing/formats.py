"""The ways to write labelled rows, by name."""

from __future__ import annotations

from paratype.writing.page import PageWriter
from paratype.writing.parquet import ParquetWriter
from paratype.writing.plain import CsvWriter, JsonlWriter, TsvWriter
from paratype.writing.terminal import TableWriter
from paratype.writing.writer import Writer

__all__ = ["FORMATS"]

FORMATS: dict[str, type[Writer]] = {
    "jsonl": JsonlWriter,
    "csv": CsvWriter,
    "tsv": TsvWriter,
    "parquet": ParquetWriter,
    "html": PageWriter,
    "table": TableWriter,
}
"""The ways to write labelled rows, by name."""
