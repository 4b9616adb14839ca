"""From files to rows: text documents give one row per paragraph, tables one row per row."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any, cast

from paratype.text import paragraphs

__all__ = ["STDIN", "SUFFIXES", "Failure", "Row", "find_files", "read_rows"]

STDIN = "-"

# A cell may be as long as memory allows; csv's own limit is 128 KB.
_LONGEST_CELL = 2**31 - 1
_BYTES_PER_READ = 1 << 16
_BYTE_ORDER_MARK = "\ufeff"


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
    """Yield the files that the inputs name, folders searched recursively, in sorted order.

    A file that is named itself is yielded whatever its suffix; one in a folder only if it is in `SUFFIXES` and
    neither it nor a folder above it is hidden. A file that is named in several ways is yielded once, as first named.
    """
    seen = set()
    for file in chain.from_iterable(map(_files, inputs)):
        identity = file if file == STDIN else os.path.realpath(file)
        if identity not in seen:
            seen.add(identity)
            yield file


def _files(name: str) -> Iterable[str]:
    path = Path(name)
    if name == STDIN or not _is_folder(path):
        return [name]
    return (str(file) for file in sorted(path.rglob("*")) if _is_readable(file, path))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a text given in place of a file's name is too long for one
        return False


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

    Documents are read whole; tables are streamed, so that memory does not grow with their rows. Standard input holds
    JSON lines if its first line that is not blank is a JSON object.

    Args:
        source: the file's name.
        text_column: which column of a table holds the text.
        encoding: of the file; a byte-order mark is dropped.
        on_bytes: called with the number of bytes read since the last call.

    Raises:
        Failure: if the file cannot be opened or decoded, is of no known kind or no proper table, or lacks the text
            column.
    """
    try:
        with _open(source) as stream:
            read = _reader(source)
            lines = _lines(_decoded(stream, source, encoding, on_bytes))
            head = next(lines, "").removeprefix(_BYTE_ORDER_MARK)
            yield from read(source, chain([head], lines), text_column)
    except OSError as error:
        raise Failure(f"{source}: {error.strerror or error}") from error


def _open(source: str) -> AbstractContextManager[io.BufferedIOBase]:
    if source == STDIN:
        return nullcontext(cast(io.BufferedIOBase, sys.stdin.buffer))
    return Path(source).open("rb")


def _reader(source: str) -> _Reader:
    if source == STDIN:
        return _read_text_or_jsonl
    suffix = Path(source).suffix.lower()
    if suffix not in SUFFIXES:
        raise Failure(
            f"{source}: unknown kind of file {suffix or 'without a suffix'!r}; expected {', '.join(SUFFIXES)}"
        )
    return SUFFIXES[suffix]


def _decoded(stream: io.BufferedIOBase, source: str, encoding: str, on_bytes: Callable[[int], None]) -> Iterator[str]:
    """Yield the text in pieces, all that stands before a byte that is not text included."""
    decoder = codecs.getincrementaldecoder(encoding)()
    position = 0
    for data in chain(iter(lambda: stream.read1(_BYTES_PER_READ), b""), [b""]):
        before = decoder.getstate()
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            # The decoder saw these bytes, and before them those it had held back; both end at the same place.
            wrong = len(data) - len(error.object) + error.start
            decoder.setstate(before)
            yield decoder.decode(data[: max(wrong, 0)])
            raise _not_text(source, f"byte {position + wrong} is not {encoding}") from error
        except UnicodeError as error:  # UTF-16 and UTF-32 without the mark that tells their byte order
            raise _not_text(source, f"not {encoding}: {error}") from error
        yield text
        position += len(data)
        on_bytes(len(data))


def _not_text(source: str, reason: str) -> Failure:
    return Failure(f"{source}: {reason}; save the file as UTF-8, or name its encoding, such as --encoding cp1252")


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Part text at line feeds alone, since other line ends may stand inside a JSON string or a CSV cell."""
    parts: list[str] = []
    for piece in pieces:
        end, *starts = piece.split("\n")
        parts.append(end)
        for start in starts:
            yield "".join(parts) + "\n"
            parts = [start]
    if last := "".join(parts):
        yield last


def _read_document(source: str, lines: Iterable[str], text_column: str) -> Iterator[Row]:
    for cut in paragraphs("".join(lines)):
        yield Row(source, cut.text, {}, cut.index, cut.start, cut.end)


def _read_text_or_jsonl(source: str, lines: Iterable[str], text_column: str) -> Iterator[Row]:
    lines = iter(lines)
    head = []
    for line in lines:
        head.append(line)
        if line.strip():
            break
    reader = _read_jsonl if head and _is_object(head[-1]) else _read_document
    yield from reader(source, chain(head, lines), text_column)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _read_jsonl(source: str, lines: Iterable[str], text_column: str) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            columns = _JSON.decode(line)
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


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError(f"{digits} is no JSON number")
    return number


# Python reads NaN and Infinity, and 1e999 as Infinity, which no other reader of what we write would take.
_JSON = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


def _read_csv(source: str, lines: Iterable[str], text_column: str, delimiter: str = ",") -> Iterator[Row]:
    table = _cells(source, lines, delimiter)
    _, header = next(table, (0, None))
    if header is None:
        return
    _check_header(source, header, text_column)
    for number, cells in table:
        if len(cells) != len(header):
            columns = dict(zip(header, cells, strict=False))
            yield Row(source, "", columns, error=f"row {number}: expected {len(header)} cells, got {len(cells)}")
        else:
            yield _table_row(source, dict(zip(header, cells, strict=True)), text_column, f"row {number}")


def _cells(source: str, lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with its number, from 1."""
    csv.field_size_limit(_LONGEST_CELL)
    number = 0
    try:
        for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), 1):
            if cells:
                yield number, cells
    except csv.Error as error:
        reason, *_ = str(error).split(" - ")  # what follows is advice for programmers
        raise Failure(
            f"{source}: row {number + 1} is not CSV: {reason}; put cells that hold line ends in quotes, "
            "and end lines as Unix or Windows does"
        ) from error


def _check_header(source: str, header: list[str], text_column: str) -> None:
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise Failure(f"{source}: more than one column is called {', '.join(map(repr, twice))}; rename or drop them")
    if text_column not in header:
        raise Failure(f"{source}: no column {text_column!r}; columns: {', '.join(header)}; name one with --text-column")


def _read_tsv(source: str, lines: Iterable[str], text_column: str) -> Iterator[Row]:
    return _read_csv(source, lines, text_column, "\t")


def _table_row(source: str, columns: dict[str, Any], text_column: str, where: str) -> Row:
    text = columns[text_column]
    if text is not None and not isinstance(text, str):
        return Row(source, "", columns, error=f"{where}: expected text, got {type(text).__name__}")
    return Row(source, text or "", columns)


_Reader = Callable[[str, Iterable[str], str], Iterator[Row]]

SUFFIXES: dict[str, _Reader] = {
    ".txt": _read_document,
    ".md": _read_document,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".csv": _read_csv,
    ".tsv": _read_tsv,
}
"""The kinds of file that are read, by suffix."""
