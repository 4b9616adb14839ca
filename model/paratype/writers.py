"""From labelled rows to JSON lines, CSV, TSV, or a table to read; `paratype.formats` has them all by name."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from abc import ABC, abstractmethod
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from paratype.batch import Labelled

__all__ = ["CsvWriter", "JsonlWriter", "TableWriter", "TsvWriter", "Writer", "printable"]

Record = dict[str, Any]

_COLOURS = {
    "attack_report": "red",
    "threat_statement": "magenta",
    "casualty_figure": "yellow",
    "analysis": "cyan",
    "none": "dim",
}


# Numbers with a sign, such as a longitude, are no formulas.
_FORMULA = re.compile(r"(?![+-][\d.,]+(?:[eE][+-]?\d+)?\Z)[=+\-@\t\r]")


class Writer(ABC):
    """Takes labelled rows, some at a time. In a ``with`` statement, it lets go of its files at the end.

    All that it has taken is in its files once they are flushed: another one goes on with the same files, if they are
    cut back to what they held after some `write` and `flush`.

    Args:
        stream: where to write; Parquet goes to the bytes under it.
        folder: where to hold rows back until the last has come; None for files that go with the process.
        text_column: where a record has its text, if not under ``text``; for those who show it apart.
        raw: whether cells that a spreadsheet would take for a formula are left as they are.
    """

    def __init__(
        self, stream: TextIO, folder: Path | None = None, *, text_column: str = "text", raw: bool = False
    ) -> None:
        self._stream = stream
        self._folder = folder
        self._text_column = text_column
        self._raw = raw
        self._files: list[IO[bytes]] = []

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *failure: object) -> None:
        for file in self._files:
            with suppress(OSError):  # from what was never flushed, after an error that says the same
                file.close()

    @abstractmethod
    def write(self, labelled: Labelled) -> None:
        """Write some rows, or hold them back."""

    def flush(self) -> None:
        """Hand on what was taken so far to the operating system."""
        self._stream.flush()

    def close(self) -> None:  # noqa: B027 (most hold nothing back)
        """Write what was held back, if anything."""

    def _held_back(self, name: str) -> IO[bytes]:
        """Return a file for rows that wait; what is written goes to its end."""
        file = tempfile.TemporaryFile() if self._folder is None else (self._folder / name).open("a+b")  # noqa: SIM115
        self._files.append(file)
        return file


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
            return "'" + safe if not self._raw and _FORMULA.match(safe) else safe
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return self._cell(";".join(value))
        if isinstance(value, (list, dict)):
            return json.dumps(value)
        return str(value).lower() if isinstance(value, bool) else value


class TsvWriter(CsvWriter):
    """The same with tabs between the cells; one that holds a tab or a line end is in quotes."""

    _delimiter = "\t"


class TableWriter(Writer):
    """A table to read, one per file: colours and the terminal's width on a terminal, plain text elsewhere."""

    def __init__(self, stream: TextIO, folder: Path | None = None, **options: Any) -> None:
        from rich.console import Console

        super().__init__(stream, folder, **options)
        terminal = stream.isatty()
        self._console = Console(file=stream, width=None if terminal else 120, highlight=False)

    def write(self, labelled: Labelled) -> None:
        """Print some rows."""
        for source, group in groupby(labelled.records(), key=lambda record: record["source"]):
            self._print(source, list(group))

    def _print(self, source: str, records: list[Record]) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(printable(source)), title_justify="left", box=box.SIMPLE, pad_edge=False)
        table.add_column("¶", justify="right")
        table.add_column("label", no_wrap=True)
        table.add_column("score", justify="right")
        table.add_column("also states")
        table.add_column("text", ratio=1)
        for place, record in enumerate(records):
            label = record["label"] or "error"
            number = place if record["paragraph"] is None else record["paragraph"]
            also = ", ".join(name for name in record["labels"] or () if name != label)
            text = record.get("text") or record.get(self._text_column) or ""
            score = "" if record["score"] is None else f"{record['score']:.2f}{' ?' if record['review'] else ''}"
            shown = record["error"] or _shortened(text)
            cells = (Text(printable(label), _COLOURS.get(label, "")), score, Text(printable(also)))
            table.add_row(str(number), *cells, Text(printable(shown)))
        # Not printed at once, because rich ends the whole process if the reader has gone away.
        with self._console.capture() as captured:
            self._console.print(table)
        self._stream.write(captured.get())


def _shortened(text: str, most: int = 300) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def printable(text: str) -> str:
    """Put spaces for what could steer a terminal: control characters, marks that turn the reading direction."""
    return "".join(char if char.isprintable() else " " for char in text)
