"""From labelled rows to a table to read, and what may be shown on a terminal."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from paratype.writing.writer import Writer

if TYPE_CHECKING:
    from paratype.batch import Labelled

__all__ = ["TableWriter", "printable"]

_COLOURS = {
    "attack_report": "red",
    "threat_statement": "magenta",
    "casualty_figure": "yellow",
    "analysis": "cyan",
    "none": "dim",
}


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

    def _print(self, source: str, records: list[dict[str, Any]]) -> None:
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
            cell = Text(printable(shown))
            if found := record.get("evidence"):
                cell.stylize("underline", found["start"], found["end"])
            table.add_row(str(number), *cells, cell)
        # Not printed at once, because rich ends the whole process if the reader has gone away.
        with self._console.capture() as captured:
            self._console.print(table)
        self._stream.write(captured.get())


def _shortened(text: str, most: int = 300) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def printable(text: str) -> str:
    """Put spaces for what could steer a terminal: control characters, marks that turn the reading direction."""
    return "".join(char if char.isprintable() else " " for char in text)
