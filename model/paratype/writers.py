"""From labelled rows to a table, JSON lines or CSV."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Protocol

__all__ = ["FORMATS", "Writer", "open_output"]

Record = dict[str, Any]

_COLOURS = {
    "attack_report": "red",
    "threat_statement": "magenta",
    "casualty_figure": "yellow",
    "analysis": "cyan",
    "none": "dim",
}


class Writer(Protocol):
    """Takes records a batch at a time."""

    def write(self, records: list[Record]) -> None:
        """Write some records."""

    def close(self) -> None:
        """Write what was held back."""


class JsonlWriter:
    """One JSON object a line."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, records: list[Record]) -> None:
        """Write some records."""
        for record in records:
            # A lone surrogate has no place in UTF-8: such a record is written in ASCII escapes.
            line = json.dumps(record, ensure_ascii=False)
            try:
                line.encode()
            except UnicodeEncodeError:
                line = json.dumps(record)
            self._stream.write(line + "\n")

    def close(self) -> None:
        """Nothing is held back."""


class CsvWriter:
    """One table whose columns are those of all records, in order of appearance.

    Records wait in a temporary file until the last has come, since only then all columns are known. Lists are
    joined by ``;``, objects written as JSON. Cells that a spreadsheet would take for a formula get a leading
    apostrophe.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._columns: dict[str, None] = {}
        self._waiting = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed by close)

    def write(self, records: list[Record]) -> None:
        """Take some records."""
        for record in records:
            self._columns.update(dict.fromkeys(record))
            self._waiting.write(json.dumps(record) + "\n")

    def close(self) -> None:
        """Write the table."""
        table = csv.writer(self._stream, lineterminator="\n")
        self._waiting.seek(0)
        with self._waiting:
            if self._columns:
                table.writerow(self._columns)
            for line in self._waiting:
                record = json.loads(line)
                table.writerow([_cell(record.get(column)) for column in self._columns])


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        safe = value.encode("utf-8", "replace").decode()
        return "'" + safe if safe.startswith(("=", "+", "-", "@", "\t", "\r")) else safe
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return _cell(";".join(value))
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else value


class TableWriter:
    """A table to read, one per file: colours and the terminal's width on a terminal, plain text elsewhere."""

    def __init__(self, stream: IO[str]) -> None:
        from rich.console import Console

        terminal = stream.isatty()
        self._console = Console(file=stream, width=None if terminal else 120, highlight=False)

    def write(self, records: list[Record]) -> None:
        """Print some records."""
        for source, group in groupby(records, key=lambda record: record["source"]):
            self._print(source, list(group))

    def _print(self, source: str, records: list[Record]) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(_printable(source)), title_justify="left", box=box.SIMPLE, pad_edge=False)
        table.add_column("¶", justify="right")
        table.add_column("label", no_wrap=True)
        table.add_column("score", justify="right")
        table.add_column("also states")
        table.add_column("text", ratio=1)
        for place, record in enumerate(records):
            label = record["label"] or "error"
            number = place if record["paragraph"] is None else record["paragraph"]
            also = ", ".join(name for name in record["labels"] or () if name != label)
            score = "" if record["score"] is None else f"{record['score']:.2f}{' ?' if record['review'] else ''}"
            shown = record["error"] or _shortened(_printable(record.get("text") or ""))
            table.add_row(str(number), Text(label, _COLOURS.get(label, "")), score, Text(also), Text(_printable(shown)))
        self._console.print(table)

    def close(self) -> None:
        """Nothing is held back."""


def _shortened(text: str, most: int = 300) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _printable(text: str) -> str:
    """Drop what could steer a terminal: control characters, escapes, marks that turn the reading direction."""
    return "".join(char if char.isprintable() else " " for char in text)


FORMATS: dict[str, type[JsonlWriter] | type[CsvWriter] | type[TableWriter]] = {
    "jsonl": JsonlWriter,
    "csv": CsvWriter,
    "table": TableWriter,
}
"""The ways to write labelled rows, by name."""


@contextmanager
def open_output(path: Path) -> Iterator[IO[str]]:
    """Give a stream whose content appears at the path as a whole when the block ends well, or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
