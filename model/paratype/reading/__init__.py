"""From files to rows."""

from paratype.reading.decoding import AUTO
from paratype.reading.find import find_files
from paratype.reading.readers import read_rows
from paratype.reading.rows import Row, without_column
from paratype.reading.sources import COMPRESSIONS, STDIN, SUFFIXES, Failure, suffixes

__all__ = [
    "AUTO",
    "COMPRESSIONS",
    "STDIN",
    "SUFFIXES",
    "Failure",
    "Row",
    "find_files",
    "read_rows",
    "suffixes",
    "without_column",
]
