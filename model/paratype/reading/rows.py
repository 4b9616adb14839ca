"""A row, the input it is read from, and its columns."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from paratype.reading import limits
from paratype.reading.sources import Failure

__all__ = ["Input", "Row", "column_of", "has_column", "lines_of", "listed", "no_column", "without_column"]

_MOST_NAMES = 30


@dataclass(slots=True)
class Row:
    """One text to label.

    Attributes:
        source: the file it came from.
        text: the text; empty if there was none.
        columns: the input's own columns, in order; empty for paragraphs of documents.
        paragraph: place in the document, from 0; None for rows of tables.
        start, end: character offsets into the document; None for rows of tables. Those of a web page count in the
            text that was taken out of it, whose lines have a blank line between them.
        error: why the row could not be read; None if it could.
        size: of its columns, in characters or bytes, as far as it is known.
    """

    source: str
    text: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    paragraph: int | None = None
    start: int | None = None
    end: int | None = None
    error: str | None = None
    size: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Input:
    """A file to read, and how; see `read_rows`."""

    source: str
    text_column: str
    encoding: str
    on_bytes: Callable[[int], None]
    on_note: Callable[[str], None]

    def note(self, text: str) -> None:
        """Tell what a person should know of this input."""
        self.on_note(f"{self.source}: {text}")

    def failure(self, text: str) -> Failure:
        """Return a failure of this input."""
        return Failure(f"{self.source}: {text}")

    def row(self, columns: Mapping[str, Any], where: str) -> Row:
        """Return a row of a table that has the text column."""
        text = column_of(columns, self.text_column)
        if text is not None and not isinstance(text, str):
            return Row(self.source, "", columns, error=f"{where}: expected text, got {type(text).__name__}")
        if text and len(text) > limits.LONGEST_TEXT:
            return Row(self.source, "", error=f"{where}: the text has {limits.too_long(limits.LONGEST_TEXT)}")
        return Row(self.source, text or "", columns)

    def limited(self, pieces: Iterable[Any]) -> Iterator[Any]:
        """Yield the pieces of a document, up to the limit."""
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > limits.LONGEST_DOCUMENT:
                long = limits.too_long(limits.LONGEST_DOCUMENT)
                raise self.failure(f"{long}, too long for a document; part it, or make a table of it (.jsonl)")
            yield piece

    def whole(self, pieces: Iterable[str]) -> str:
        """Return the text of a document."""
        document = io.StringIO(newline="")  # holds pieces, however many, in the memory of their characters
        for piece in self.limited(pieces):
            document.write(piece)
        return document.getvalue()

    def or_fail(self, line: str | None, where: str) -> str:
        """Return a line, or end with what was too long."""
        if line is None:
            raise self.failure(f"{where} has {limits.too_long(limits.LONGEST_TEXT)}; part it")
        return line

    def check_names(self, names: list[str]) -> None:
        """Check that a table's columns can be told apart, and that the text is among them."""
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise self.failure(f"more than one column is called {listed(map(repr, twice))}; rename or drop them")
        if self.text_column not in names:
            raise self.failure(no_column(self.text_column, names))


def lines_of(pieces: Iterable[str]) -> Iterator[str | None]:
    """Part text at line feeds alone, since other line ends may stand inside a JSON string or a CSV cell.

    A line that is too long is passed over, and None yielded for it.
    """
    parts: list[str] = []
    size = 0
    for piece in pieces:
        for place, part in enumerate(piece.split("\n")):
            if place:
                yield "".join(parts) + "\n" if size <= limits.LONGEST_TEXT else None
                parts, size = [], 0
            size += len(part)
            if size <= limits.LONGEST_TEXT:
                parts.append(part)
            else:
                parts.clear()
    if size:
        yield "".join(parts) if size <= limits.LONGEST_TEXT else None


def column_of(columns: Mapping[str, Any], name: str) -> Any:
    """Return the value of a column; ``a.b`` is the ``b`` of the object in ``a``, unless a column has that very name.

    Raises:
        KeyError: if there is none.
    """
    if name in columns or "." not in name:
        return columns[name]
    value: Any = columns
    for part in name.split("."):
        if not isinstance(value, dict):
            raise KeyError(name)
        value = value[part]
    return value


def has_column(columns: Mapping[str, Any], name: str) -> bool:
    """Return whether `column_of` finds a column."""
    try:
        column_of(columns, name)
    except KeyError:
        return False
    return True


def without_column(columns: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return columns without one that `column_of` finds inside another; a column of that very name is left."""
    if name in columns or not has_column(columns, name):
        return columns
    first, rest = name.split(".", 1)
    inner = columns[first]
    if "." in rest:
        return {**columns, first: without_column(inner, rest)}
    return {**columns, first: {key: value for key, value in inner.items() if key != rest}}


def no_column(name: str, columns: Iterable[str]) -> str:
    """Return what to say of a text column that is not there."""
    return f"no column {name!r}; columns: {listed(columns)}; name one with --text-column"


def listed(names: Iterable[str]) -> str:
    """Return names in one text, the first of them if there are many."""
    names = list(names)
    more = f", and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return (", ".join(names[:_MOST_NAMES]) or "none") + more
