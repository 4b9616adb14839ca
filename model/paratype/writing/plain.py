"""From labelled rows to JSON lines, CSV and TSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TextIO

from paratype.writing.cells import FORMULA
from paratype.writing.writer import Writer

if TYPE_CHECKING:
    from paratype.batch import Labelled

__all__ = ["CsvWriter", "JsonlWriter", "TsvWriter"]


class JsonlWriter(Writer):
    """One JSON object a line."""

    def write(self, labelled: Labelled) -> None:
        """Write some rows."""
        for record in labelled.records():
            # A lone surrogate has no place in UTF-8: such a record is written in ASCII escapes.
            line = json.dumps(record, ensure_ascii=False)
            try:
                line.encode()
            except UnicodeEncodeError:
                line = json.dumps(record)
            self._stream.write(line + "\n")


class CsvWriter(Writer):
    """One table whose columns are those of all records, in order of appearance.

    Records wait until the last has come, since only then all columns are known. Lists are joined by ``;``, objects
    written as JSON. Cells that a spreadsheet would take for a formula get a leading apostrophe, and so do names of
    columns, unless they are wanted raw.
    """

    _delimiter = ","

    def __init__(self, stream: TextIO, folder: Path | None = None, **options: Any) -> None:
        super().__init__(stream, folder, **options)
        # A line is a record, or the names of columns that come up in the next one.
        self._waiting = self._held_back("waiting.jsonl")
        self._waiting.seek(0)
        lines = (line for line in self._waiting if line.startswith(b"["))
        self._columns: dict[str, None] = dict.fromkeys(name for line in lines for name in json.loads(line))

    def write(self, labelled: Labelled) -> None:
        """Take some rows."""
        lines = []
        for record in labelled.records():
            if new := record.keys() - self._columns:
                names = [name for name in record if name in new]
                self._columns.update(dict.fromkeys(names))
                lines.append(json.dumps(names))
            lines.append(json.dumps(record))
        self._waiting.write("".join(f"{line}\n" for line in lines).encode())

    def flush(self) -> None:
        """Hand on what was taken so far to the operating system."""
        self._waiting.flush()
        super().flush()

    def close(self) -> None:
        """Write the table."""
        # csv quotes a cell for the characters of its own line end alone: both of them must be in that.
        unix = SimpleNamespace(write=lambda row: self._stream.write(row.removesuffix("\r\n") + "\n"))
        table = csv.writer(unix, delimiter=self._delimiter, lineterminator="\r\n")
        if self._columns:
            table.writerow(map(self._cell, self._columns))
        self._waiting.seek(0)
        for line in self._waiting:
            if not line.startswith(b"["):
                record = json.loads(line)
                table.writerow([self._cell(record.get(column)) for column in self._columns])

    def _cell(self, value: Any) -> Any:
        if isinstance(value, str):
            safe = value.encode("utf-8", "replace").decode()
            return "'" + safe if not self._raw and FORMULA.match(safe) else safe
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return self._cell(";".join(value))
        if isinstance(value, (list, dict)):
            return json.dumps(value)
        return str(value).lower() if isinstance(value, bool) else value


class TsvWriter(CsvWriter):
    """The same with tabs between the cells; one that holds a tab or a line end is in quotes."""

    _delimiter = "\t"
