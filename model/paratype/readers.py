"""From files to rows: text documents give one row per paragraph, tables one row per row."""

from __future__ import annotations

import codecs
import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from paratype.text import paragraphs

__all__ = ["STDIN", "SUFFIXES", "Failure", "Row", "find_files", "read_rows"]

STDIN = "-"

# A cell may be as long as memory allows; csv's own limit is 128 KB.
_LONGEST_CELL = 2**31 - 1


@dataclass(slots=True)
class Row:
    """One text to label.

    Attributes:
        source: the file it came from.
        text: the text; empty if there was none.
        columns: the input's own columns, in order; empty for paragraphs of documents.
        paragraph: place in the document, from 0; None for rows of tables.
        start, end: character offsets into the document; None for rows of tables.
        error: why the row could not be read; None if it could.
    """

    source: str
    text: str
    columns: dict[str, Any] = field(default_factory=dict)
    paragraph: int | None = None
    start: int | None = None
    end: int | None = None
    error: str | None = None


class Failure(Exception):
    """A whole input could not be read. The message says why and what to do."""


def find_files(inputs: Iterable[str]) -> Iterator[str]:
    """Yield the files that the inputs name, folders searched recursively, in sorted order, each file once.

    A file that is named itself is yielded whatever its suffix; one in a folder only if it is in `SUFFIXES` and
    neither it nor a folder above it is hidden.
    """
    seen = set()
    for name in inputs:
        path = Path(name)
        if name != STDIN and path.is_dir():
            found: Iterable[str] = (str(file) for file in sorted(path.rglob("*")) if _is_readable(file, path))
        else:
            found = [name]
        for file in found:
            if file not in seen:
                seen.add(file)
                yield file


def _is_readable(file: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
    return not hidden and file.suffix.lower() in SUFFIXES and file.is_file()


def read_rows(
    source: str,
    *,
    text_column: str = "text",
    encoding: str = "utf-8",
    on_bytes: Callable[[int], None] = lambda count: None,
) -> Iterator[Row]:
    """Yield the rows of one file, or of standard input for ``-``, which is taken for text or JSON lines.

    Args:
        source: the file's name.
        text_column: which column of a table holds the text.
        encoding: of the file; a byte-order mark is dropped.
        on_bytes: called with the number of bytes read since the last call.

    Raises:
        Failure: if the file cannot be opened or decoded, is of no known kind, or lacks the text column.
    """
    try:
        with _open(source) as stream:
            lines = _decoded(stream, source, encoding, on_bytes)
            yield from _reader(source, stream)(source, lines, text_column)
    except OSError as error:
        raise Failure(f"{source}: {error.strerror or error}") from error


def _open(source: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if source == STDIN else Path(source).open("rb")


def _reader(source: str, stream: IO[bytes]) -> Callable[[str, Iterable[str], str], Iterator[Row]]:
    if source == STDIN:
        peek = getattr(stream, "peek", None)
        return _read_jsonl if peek and peek(64).lstrip().startswith(b'{"') else _read_document
    suffix = Path(source).suffix.lower()
    if suffix not in SUFFIXES:
        raise Failure(
            f"{source}: unknown kind of file {suffix or 'without a suffix'!r}; expected {', '.join(SUFFIXES)}"
        )
    return SUFFIXES[suffix]


def _decoded(stream: IO[bytes], source: str, encoding: str, on_bytes: Callable[[int], None]) -> Iterator[str]:
    """Yield decoded lines, line ends kept; a byte-order mark at the head is dropped."""
    decoder = codecs.getincrementaldecoder(encoding)()
    position = 0
    try:
        for number, line in enumerate(stream):
            text = decoder.decode(line)
            yield text.removeprefix("\ufeff") if number == 0 else text
            position += len(line)
            on_bytes(len(line))
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise Failure(
            f"{source}: byte {position + error.start} is not {encoding}; save the file as UTF-8, "
            "or name its encoding, such as --encoding cp1252"
        ) from error


def _read_document(source: str, lines: Iterable[str], text_column: str) -> Iterator[Row]:
    for cut in paragraphs("".join(lines)):
        yield Row(source, cut.text, {}, cut.index, cut.start, cut.end)


def _read_jsonl(source: str, lines: Iterable[str], text_column: str) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            columns = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Row(source, "", error=f"line {number}: not JSON: {error}")
            continue
        if not isinstance(columns, dict):
            yield Row(source, "", error=f"line {number}: expected an object, got {type(columns).__name__}")
        elif text_column not in columns:
            keys = ", ".join(columns) or "none"
            error_text = f"line {number}: no column {text_column!r}; columns: {keys}; name one with --text-column"
            yield Row(source, "", columns, error=error_text)
        else:
            yield _table_row(source, columns, text_column, f"line {number}")


def _read_csv(source: str, lines: Iterable[str], text_column: str, delimiter: str = ",") -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_CELL)
    table = csv.reader(lines, delimiter=delimiter)
    header = next(table, None)
    if header is None:
        return
    if text_column not in header:
        raise Failure(f"{source}: no column {text_column!r}; columns: {', '.join(header)}; name one with --text-column")
    for number, cells in enumerate(table, 2):
        if not cells:
            continue
        if len(cells) != len(header):
            columns = dict(zip(header, cells, strict=False))
            yield Row(source, "", columns, error=f"row {number}: expected {len(header)} cells, got {len(cells)}")
        else:
            yield _table_row(source, dict(zip(header, cells, strict=True)), text_column, f"row {number}")


def _read_tsv(source: str, lines: Iterable[str], text_column: str) -> Iterator[Row]:
    return _read_csv(source, lines, text_column, "\t")


def _table_row(source: str, columns: dict[str, Any], text_column: str, where: str) -> Row:
    text = columns[text_column]
    if text is not None and not isinstance(text, str):
        return Row(source, "", columns, error=f"{where}: expected text, got {type(text).__name__}")
    return Row(source, text or "", columns)


SUFFIXES: dict[str, Callable[[str, Iterable[str], str], Iterator[Row]]] = {
    ".txt": _read_document,
    ".md": _read_document,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".csv": _read_csv,
    ".tsv": _read_tsv,
}
"""The kinds of file that are read, by suffix."""
