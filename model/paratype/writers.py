"""From labelled rows to a table, JSON lines, CSV or Parquet."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, TextIO

from paratype.columns import common_schema, with_schema

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from paratype.batch import Labelled

__all__ = ["FORMATS", "Writer", "open_output", "printable"]

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
    """Takes labelled rows, some at a time.

    Args:
        stream: where to write; Parquet goes to the bytes under it.
        text_column: where a record has its text, if not under ``text``; for those who show it apart.
    """

    def __init__(self, stream: TextIO, text_column: str = "text") -> None:
        self._stream = stream
        self._text_column = text_column

    @abstractmethod
    def write(self, labelled: Labelled) -> None:
        """Write some rows."""

    def close(self) -> None:  # noqa: B027 (most hold nothing back)
        """Write what was held back, if anything."""


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

    Records wait in a temporary file until the last has come, since only then all columns are known. Lists are
    joined by ``;``, objects written as JSON. Cells that a spreadsheet would take for a formula get a leading
    apostrophe, and so do names of columns.
    """

    def __init__(self, stream: TextIO, text_column: str = "text") -> None:
        super().__init__(stream, text_column)
        self._columns: dict[str, None] = {}
        self._waiting = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed by close)

    def write(self, labelled: Labelled) -> None:
        """Take some rows."""
        for record in labelled.records():
            self._columns.update(dict.fromkeys(record))
            self._waiting.write(json.dumps(record) + "\n")

    def close(self) -> None:
        """Write the table."""
        # csv quotes a cell for the characters of its own line end alone: both of them must be in that.
        unix = SimpleNamespace(write=lambda row: self._stream.write(row.removesuffix("\r\n") + "\n"))
        table = csv.writer(unix, lineterminator="\r\n")
        self._waiting.seek(0)
        with self._waiting:
            if self._columns:
                table.writerow(map(_cell, self._columns))
            for line in self._waiting:
                record = json.loads(line)
                table.writerow([_cell(record.get(column)) for column in self._columns])


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        safe = value.encode("utf-8", "replace").decode()
        return "'" + safe if _FORMULA.match(safe) else safe
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return _cell(";".join(value))
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else value


class TableWriter(Writer):
    """A table to read, one per file: colours and the terminal's width on a terminal, plain text elsewhere."""

    def __init__(self, stream: TextIO, text_column: str = "text") -> None:
        from rich.console import Console

        super().__init__(stream, text_column)
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


class ParquetWriter(Writer):
    """One Parquet table whose columns are those of all rows, in order of appearance, with types that fit all.

    Rows wait in temporary files, a new one whenever rows come that do not fit the columns so far.
    """

    def __init__(self, stream: TextIO, text_column: str = "text") -> None:
        super().__init__(stream, text_column)
        self._parts: list[tuple[IO[bytes], pq.ParquetWriter]] = []
        self._schema: pa.Schema | None = None

    def write(self, labelled: Labelled) -> None:
        """Take some rows."""
        table = labelled.table()
        schema = common_schema(self._schema or table.schema, table.schema)
        if schema != self._schema:
            self._schema = schema
            part = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
            self._parts.append((part, self._open(part)))
        self._parts[-1][1].write_table(with_schema(table, schema))

    def close(self) -> None:
        """Write the table."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._schema = self._schema or pa.schema([])
        for _, writer in self._parts:
            writer.close()
        files = [part for part, _ in self._parts]
        if len(files) == 1:
            files[0].seek(0)
            shutil.copyfileobj(files[0], self._stream.buffer)
        else:
            with self._open(self._stream.buffer) as whole:
                for file in files:
                    for batch in pq.ParquetFile(file).iter_batches():
                        whole.write_table(with_schema(pa.Table.from_batches([batch]), self._schema))
        for file in files:
            file.close()

    def _open(self, file: IO[bytes]) -> pq.ParquetWriter:
        import pyarrow.parquet as pq

        return pq.ParquetWriter(file, self._schema, compression="zstd", compression_level=1)


FORMATS: dict[str, type[Writer]] = {
    "jsonl": JsonlWriter,
    "csv": CsvWriter,
    "parquet": ParquetWriter,
    "table": TableWriter,
}
"""The ways to write labelled rows, by name."""


@contextmanager
def open_output(path: Path) -> Iterator[TextIO]:
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
