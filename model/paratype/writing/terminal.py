"""From labelled rows to a table to read, and what may be shown on a terminal."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from paratype.writing.writer import Writer

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from paratype.batch import Labelled

__all__ = ["TableWriter", "printable"]

_COLOURS = {
    "attack_report": "red",
    "threat_statement": "magenta",
    "casualty_figure": "yellow",
    "analysis": "cyan",
    "none": "dim",
}
_WIDTH_IN_A_FILE = 120
# Of `+ threat_statement`; longer names are folded.
_LABEL_WIDTH = 18


class TableWriter(Writer):
    """A table to read, one per file: colours and the terminal's width on a terminal, plain text elsewhere."""

    def __init__(self, stream: TextIO, folder: Path | None = None, **options: Any) -> None:
        from rich.console import Console

        super().__init__(stream, folder, **options)
        terminal = stream.isatty()
        self._console = Console(file=stream, width=None if terminal else _WIDTH_IN_A_FILE, highlight=False)
        self._begun = stream.seekable() and stream.tell() > 0

    def write(self, labelled: Labelled) -> None:
        """Print some rows."""
        first = labelled.first
        for source, group in groupby(labelled.records(), key=lambda record: record["source"]):
            self._print(source, list(group), first)
            first = 0

    def _print(self, source: str, records: list[dict[str, Any]], first: int) -> None:
        from rich.text import Text

        table = _table(header=not first)
        for place, record in enumerate(records, first):
            table.add_row(*self._cells(record, place))
        # Not printed at once, because rich ends the whole process if the reader has gone away.
        with self._console.capture() as captured:
            if not first:
                self._console.print(*([""] if self._begun else []), Text(printable(source), "bold"), "", sep="\n")
            self._console.print(table)
        self._begun = True
        self._stream.write(captured.get())

    def _cells(self, record: dict[str, Any], place: int) -> tuple[str | Text, ...]:
        from rich.text import Text

        label = record["label"] or "error"
        number = place if record["paragraph"] is None else record["paragraph"]
        score = "" if record["score"] is None else f"{record['score']:.2f}"
        colour = "bold red" if record["error"] else _COLOURS.get(label, "bold")
        said = Text().append(printable(label), colour)
        for name in record["labels"] or ():
            if name != label:
                said.append(f"\n+ {printable(name)}", "dim")
        if record["review"]:
            said.append("\n? for review", "bold")
        text = record.get("text") or record.get(self._text_column) or ""
        shown = Text(printable(record["error"] or _shortened(text)))
        if found := record.get("evidence"):
            shown.stylize("underline", found["start"], found["end"])
        return str(number), said, score, shown


def _table(*, header: bool) -> Table:
    """Return a table whose columns are as wide whatever is in it, so that one goes on where another ended."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, show_edge=False, show_header=header, pad_edge=False, expand=True)
    table.add_column("¶", justify="right", min_width=3)
    table.add_column("label", width=_LABEL_WIDTH, overflow="fold")
    table.add_column("score", justify="right", width=5)
    table.add_column("text", ratio=1, overflow="fold")
    return table


def _shortened(text: str, most: int = 300) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def printable(text: str) -> str:
    """Put spaces for what could steer a terminal: control characters, marks that turn the reading direction."""
    return "".join(char if char.isprintable() else " " for char in text)
