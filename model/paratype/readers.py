"""From files to rows: documents give one row per paragraph, tables one row per row."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from math import isfinite
from pathlib import Path
from typing import Any

from paratype.charset import MOJIBAKE
from paratype.decoding import AUTO, decode_page, decoded
from paratype.sources import COMPRESSIONS, STDIN, Failure, open_chunks, open_whole, suffixes
from paratype.text import paragraphs

__all__ = ["STDIN", "SUFFIXES", "Failure", "Row", "column_of", "find_files", "read_rows", "without_column"]

# In characters; a document in bytes as well, when it is decompressed.
_LONGEST_TEXT = 256 << 20
_LONGEST_DOCUMENT = 512 << 20
_MOST_LINES = 10_000_000  # of a document, since each takes memory beside its characters
_MOST_BLANK_LINES = 1_000_000  # of standard input, before what tells JSON lines from text

_OTHER_DELIMITERS = ";\t|"
_DELIMITER_NAMES = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_MOST_NAMES = 30
_MANIFEST = ".run.json"  # what a run leaves beside its output
_PAGE = re.compile("<(?:html|body|frameset)[ >]", re.IGNORECASE)
_INSTALL_HTML = "pip install 'paratype[html]'"


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


def find_files(inputs: Iterable[str]) -> Iterator[str]:
    """Yield the files that the inputs name, folders searched recursively, in sorted order.

    A file that is named itself is yielded whatever its suffix; one in a folder only if it is in `SUFFIXES`, perhaps
    with one of `paratype.sources.COMPRESSIONS` after that, and neither it nor a folder above it is hidden. A file
    that is named in several ways is yielded once, as first named. A folder that cannot be searched is yielded as a
    file would be, so that it is named when it is read.
    """
    seen = set()
    for file in chain.from_iterable(map(_files, inputs)):
        identity = file if file == STDIN else os.path.realpath(file)
        if identity not in seen:
            seen.add(identity)
            yield file


def _files(name: str) -> Iterable[str]:
    return _searched(str(Path(name))) if name != STDIN and _is_folder(name) else [name]


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except OSError:  # a text given in place of a file's name is too long for one
        return False


def _searched(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(
                (entry.name, entry.is_dir(follow_symlinks=False))
                for entry in entries
                if not entry.name.startswith(".")
                and not entry.name.endswith(_MANIFEST)
                and (entry.is_dir(follow_symlinks=False) or (suffixes(entry.name)[0] in SUFFIXES and entry.is_file()))
            )
    except OSError:
        yield folder
        return
    for name, is_folder in found:
        path = os.path.join(folder, name) if folder != "." else name  # noqa: PTH118 (a million of them)
        if is_folder:
            yield from _searched(path)
        else:
            yield path


def read_rows(
    source: str,
    *,
    text_column: str = "text",
    encoding: str = AUTO,
    on_bytes: Callable[[int], None] = lambda count: None,
    on_note: Callable[[str], None] = lambda note: None,
) -> Iterator[Row]:
    """Yield the rows of one file, or of standard input for ``-``, which is taken for text or JSON lines.

    Documents (text, web pages, JSON) are read whole, up to 512 MB; tables are streamed, so that memory does not grow
    with their rows. A text longer than 256 MB is a row with an error. Standard input holds JSON lines if its first
    line that is not blank is a JSON object.

    Args:
        source: the file's name.
        text_column: which column of a table holds the text; in JSON ``a.b`` is the ``b`` of the object in ``a``, if
            there is no column of that very name.
        encoding: of the file, see `paratype.decoding.decoded`; Parquet has its own.
        on_bytes: called with the number of bytes read since the last call.
        on_note: called with what a person should know of a file that was read, such as a guess that was made.

    Raises:
        Failure: if the file cannot be opened, decompressed or decoded, is of no known kind or no proper table, lacks
            the text column, or is too long, after the rows before the fault.
    """
    noted = False
    try:
        for row in _rows(_Input(source, text_column, encoding, on_bytes, on_note)):
            if not noted and not row.text.isascii() and (found := MOJIBAKE.search(row.text)):
                noted = True
                on_note(
                    f"{source}: has {found[0]!r}, which looks like UTF-8 that was once read as another encoding; "
                    "texts are left as they are"
                )
            yield row
    except OSError as error:
        raise Failure(f"{source}: {error.strerror or error}") from error


@dataclass(frozen=True)
class _Input:
    """A file to read, and how; see `read_rows`."""

    source: str
    text_column: str
    encoding: str
    on_bytes: Callable[[int], None]
    on_note: Callable[[str], None]

    def note(self, text: str) -> None:
        self.on_note(f"{self.source}: {text}")

    def failure(self, text: str) -> Failure:
        return Failure(f"{self.source}: {text}")

    def row(self, columns: Mapping[str, Any], where: str) -> Row:
        """Return a row of a table that has the text column."""
        text = column_of(columns, self.text_column)
        if text is not None and not isinstance(text, str):
            return Row(self.source, "", columns, error=f"{where}: expected text, got {type(text).__name__}")
        if text and len(text) > _LONGEST_TEXT:
            return Row(self.source, "", error=f"{where}: the text has {_too_long(_LONGEST_TEXT)}")
        return Row(self.source, text or "", columns)


def _rows(given: _Input) -> Iterator[Row]:
    kind = _kind(given.source)
    if kind == ".parquet":
        yield from _read_parquet(given)
        return
    with open_chunks(given.source, given.on_bytes) as chunks:
        if kind in _PAGES:
            page = b"".join(_limited(given, chunks))
            pieces: Iterator[str] = iter([decode_page(given.source, page, given.encoding, given.on_note)])
        else:
            pieces = decoded(given.source, chunks, given.encoding, given.on_note)
        yield from _READERS[kind](given, pieces)


def _kind(source: str) -> str:
    kind = STDIN if source == STDIN else suffixes(source)[0]
    if kind in SUFFIXES or kind == STDIN:
        return kind
    if _is_folder(source) and not kind:
        next(Path(source).iterdir(), None)  # says why it could not be searched
    known = f"expected {', '.join(SUFFIXES)}, perhaps with {' or '.join(COMPRESSIONS)} after that"
    raise Failure(f"{source}: unknown kind of file {kind or 'without a suffix'!r}; {known}")


def _too_long(most: int) -> str:
    return f"more than {most >> 20} MB"


def _limited(given: _Input, pieces: Iterable[Any]) -> Iterator[Any]:
    """Yield the pieces of a document, up to the limit."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > _LONGEST_DOCUMENT:
            raise given.failure(
                f"{_too_long(_LONGEST_DOCUMENT)}, too long for a document; part it, or make a table of it (.jsonl)"
            )
        yield piece


def _whole(given: _Input, pieces: Iterable[str]) -> str:
    document = io.StringIO(newline="")  # holds pieces, however many, in the memory of their characters
    for piece in _limited(given, pieces):
        document.write(piece)
    return document.getvalue()


def _lines(pieces: Iterable[str]) -> Iterator[str | None]:
    """Part text at line feeds alone, since other line ends may stand inside a JSON string or a CSV cell.

    A line that is too long is passed over, and None yielded for it.
    """
    parts: list[str] = []
    size = 0
    for piece in pieces:
        for place, part in enumerate(piece.split("\n")):
            if place:
                yield "".join(parts) + "\n" if size <= _LONGEST_TEXT else None
                parts, size = [], 0
            size += len(part)
            if size <= _LONGEST_TEXT:
                parts.append(part)
            else:
                parts.clear()
    if size:
        yield "".join(parts) if size <= _LONGEST_TEXT else None


# Documents


def _read_document(given: _Input, pieces: Iterable[str]) -> Iterator[Row]:
    document = _whole(given, pieces)
    if sum(map(document.count, "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")) > _MOST_LINES:
        raise given.failure(f"more than {_MOST_LINES} lines, too many for a document; part it")
    for cut in paragraphs(document):
        row = Row(given.source, cut.text, {}, cut.index, cut.start, cut.end)
        if len(cut.text) > _LONGEST_TEXT:
            row.text, row.error = "", f"paragraph {cut.index}: {_too_long(_LONGEST_TEXT)}"
        yield row


def _read_html(given: _Input, pieces: Iterable[str]) -> Iterator[Row]:
    page = _whole(given, pieces)
    lines = _lines_of_page(given, page)
    if not lines and page.strip():
        given.note("no text was found in the page")
    # Each line is a paragraph, a heading, or an item of a list; blank lines keep them apart.
    yield from _read_document(given, ["\n\n".join(lines)])


def _lines_of_page(given: _Input, page: str) -> list[str]:
    try:
        import trafilatura
    except ImportError as error:
        raise given.failure(f"web pages need another package ({error}): {_INSTALL_HTML}") from error
    # What it has to say is for programmers; without a handler, Python would put it on standard error.
    logging.getLogger("trafilatura").addHandler(logging.NullHandler())
    if not _PAGE.search(page):  # a part of a page
        page = f"<html><body>{page}</body></html>"
    try:
        text = trafilatura.extract(page, include_comments=False)
    except Exception as error:  # whatever a parser of strangers' pages may raise
        raise given.failure(f"no text could be taken out of the page: {error}; save it as text (.txt)") from error
    # Without the rules under the heads of tables, which are no text.
    return [line.strip() for line in (text or "").splitlines() if any(map(str.isalnum, line))]


# JSON


def _read_text_or_jsonl(given: _Input, pieces: Iterable[str]) -> Iterator[Row]:
    lines = _lines(pieces)
    head: list[str | None] = []
    for line in islice(lines, _MOST_BLANK_LINES):
        head.append(line)
        if line is None or line.strip():
            break
    if head and (head[-1] is None or _is_object(head[-1])):
        yield from _jsonl_rows(given, chain(head, lines))
    else:
        yield from _read_document(given, (_or_fail(given, line, "a line") for line in chain(head, lines)))


def _or_fail(given: _Input, line: str | None, where: str) -> str:
    if line is None:
        raise given.failure(f"{where} has {_too_long(_LONGEST_TEXT)}; part it")
    return line


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _read_jsonl(given: _Input, pieces: Iterable[str]) -> Iterator[Row]:
    yield from _jsonl_rows(given, _lines(pieces))


def _jsonl_rows(given: _Input, lines: Iterable[str | None]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if line is None:
            yield Row(given.source, "", error=f"line {number}: {_too_long(_LONGEST_TEXT)}")
        elif line.strip():
            try:
                item = _JSON.decode(line)
            except (ValueError, RecursionError) as error:
                yield Row(given.source, "", error=f"line {number}: not JSON: {error}")
            else:
                row = _json_row(given, item, f"line {number}")
                row.size = len(line)
                yield row


def _json_row(given: _Input, item: Any, where: str) -> Row:
    if not isinstance(item, dict):
        return Row(given.source, "", error=f"{where}: expected an object, got {type(item).__name__}")
    if not _has_column(item, given.text_column):
        return Row(given.source, "", item, error=f"{where}: {_no_column(given.text_column, item)}")
    return given.row(item, where)


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError(f"{digits} is no JSON number")
    return number


# Python reads NaN and Infinity, and 1e999 as Infinity, which no other reader of what we write would take.
_JSON = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)
_SPACE = re.compile(r"[ \t\r\n]*")


def _read_json(given: _Input, pieces: Iterable[str]) -> Iterator[Row]:
    text = _whole(given, pieces)
    start = _after_space(text, 0)
    if start == len(text):
        return
    try:
        if text[start] == "[":
            items = enumerate(_items(text, start + 1), 1)
            yield from (_json_row(given, item, f"item {number}") for number, item in items)
            return
        item, end = _JSON.raw_decode(text, start)
        if _after_space(text, end) < len(text):
            raise json.JSONDecodeError("Extra data", text, end)
    except (ValueError, RecursionError) as error:
        hint = "; if each line is an object, end its name in .jsonl" if "Extra data" in str(error) else "; mend it"
        raise given.failure(f"not JSON: {error}{hint}") from error
    yield _single_row(given, item)


def _items(text: str, start: int) -> Iterator[Any]:
    """Yield the items of a JSON list, from after its bracket, one at a time, since all take far more memory."""
    place = _after_space(text, start)
    if text[place : place + 1] != "]":
        while True:
            item, place = _JSON.raw_decode(text, _after_space(text, place))
            yield item
            place = _after_space(text, place)
            if text[place : place + 1] != ",":
                break
            place += 1
    if text[place : place + 1] != "]":
        raise json.JSONDecodeError("Expecting ',' delimiter", text, place)
    if (end := _after_space(text, place + 1)) < len(text):
        raise json.JSONDecodeError("Extra data", text, end)


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _single_row(given: _Input, item: Any) -> Row:
    expected = f"expected a list of objects, or one object with the column {given.text_column!r}"
    if not isinstance(item, dict):
        raise given.failure(f"{expected}, got {type(item).__name__}")
    if _has_column(item, given.text_column):
        return given.row(item, "item 1")
    lists = [name for name, value in item.items() if isinstance(value, list)]
    if lists:
        raise given.failure(f"{expected}, got an object that holds a list in {_listed(lists)}; save that list alone")
    raise given.failure(f"{expected}, got one with {_listed(item)}; name the column with --text-column")


# Columns


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


def _has_column(columns: Mapping[str, Any], name: str) -> bool:
    try:
        column_of(columns, name)
    except KeyError:
        return False
    return True


def without_column(columns: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return columns without one that `column_of` finds inside another; a column of that very name is left."""
    if name in columns or not _has_column(columns, name):
        return columns
    first, rest = name.split(".", 1)
    inner = columns[first]
    if "." in rest:
        return {**columns, first: without_column(inner, rest)}
    return {**columns, first: {key: value for key, value in inner.items() if key != rest}}


def _no_column(name: str, columns: Iterable[str]) -> str:
    return f"no column {name!r}; columns: {_listed(columns)}; name one with --text-column"


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f", and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return (", ".join(names[:_MOST_NAMES]) or "none") + more


def _check_names(given: _Input, names: list[str]) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise given.failure(f"more than one column is called {_listed(map(repr, twice))}; rename or drop them")
    if given.text_column not in names:
        raise given.failure(_no_column(given.text_column, names))


# Tables


def _read_csv(given: _Input, pieces: Iterable[str]) -> Iterator[Row]:
    lines = _short_lines(given, pieces)
    head: list[str] = []
    header = _header(given, _kept(lines, head), ",")
    delimiter = ","
    if header and given.text_column not in header:
        others = (other for other in _OTHER_DELIMITERS if given.text_column in _header(given, iter(head), other))
        delimiter = next(others, ",")
    if delimiter != ",":
        given.note(f"read with {_DELIMITER_NAMES[delimiter]} between cells, where the column {given.text_column!r} is")
    yield from _table_rows(given, chain(head, lines), delimiter)


def _header(given: _Input, lines: Iterator[str], delimiter: str) -> list[str]:
    _, header = next(_cells(given, lines, delimiter), (0, []))
    return header


def _kept(lines: Iterator[str], kept: list[str]) -> Iterator[str]:
    for line in lines:
        kept.append(line)
        yield line


def _read_tsv(given: _Input, pieces: Iterable[str]) -> Iterator[Row]:
    yield from _table_rows(given, _short_lines(given, pieces), "\t")


def _short_lines(given: _Input, pieces: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(_lines(pieces), 1):
        yield _or_fail(given, line, f"line {number}")


def _table_rows(given: _Input, lines: Iterator[str], delimiter: str) -> Iterator[Row]:
    table = _cells(given, lines, delimiter)
    _, header = next(table, (0, None))
    if header is None:
        return
    _check_names(given, header)
    for number, cells in table:
        if len(cells) != len(header):
            columns = dict(zip(header, cells, strict=False))
            error = f"row {number}: expected {len(header)} cells, got {len(cells)}"
            yield Row(given.source, "", columns, error=error)
        else:
            row = given.row(dict(zip(header, cells, strict=True)), f"row {number}")
            row.size = sum(map(len, cells))
            yield row


def _cells(given: _Input, lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with its number, from 1."""
    csv.field_size_limit(_LONGEST_TEXT)  # 128 KB by itself
    number = 0
    try:
        for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), 1):
            if cells:
                yield number, cells
    except csv.Error as error:
        if "field limit" in str(error):
            raise given.failure(
                f"row {number + 1} has a cell of {_too_long(_LONGEST_TEXT)}; perhaps a quote is not closed there"
            ) from error
        reason, *_ = str(error).split(" - ")  # what follows is advice for programmers
        raise given.failure(
            f"row {number + 1} is not CSV: {reason}; put cells that hold line ends in quotes, "
            "and end lines as Unix or Windows does"
        ) from error


def _read_parquet(given: _Input) -> Iterator[Row]:
    import pyarrow as pa

    from paratype.arrow_rows import ArrowRow, ArrowRows, is_text, read_batches, texts

    def check(schema: pa.Schema) -> None:
        _check_names(given, schema.names)
        kind = schema.field(given.text_column).type
        if not is_text(kind):
            raise given.failure(
                f"expected text in column {given.text_column!r}, got {kind}; name another one with --text-column"
            )

    number = 0
    try:
        with open_whole(given.source, given.on_bytes) as file:
            counted = given.on_bytes if not suffixes(given.source)[1] else lambda count: None
            for batch in read_batches(file, check, counted):
                rows = ArrowRows(batch)
                for place, text in enumerate(texts(batch.column(given.text_column))):
                    number += 1
                    row = Row(given.source, "", ArrowRow(rows, place), size=rows.bytes_per_row)
                    if isinstance(text, UnicodeDecodeError):
                        row.error = f"row {number}: the text is not utf-8"
                    elif text and len(text) > _LONGEST_TEXT:
                        row.error = f"row {number}: the text has {_too_long(_LONGEST_TEXT)}"
                    else:
                        row.text = text or ""
                    yield row
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        reason = " ".join(str(error).split())
        where = f"after row {number} the Parquet file is damaged" if number else "no Parquet file, or a damaged one"
        raise given.failure(f"{where}: {reason}; get or make the file anew") from error


_Reader = Callable[[_Input, Iterable[str]], Iterator[Row]]

_PAGES = (".html", ".htm")
_READERS: dict[str, _Reader] = {
    STDIN: _read_text_or_jsonl,
    ".txt": _read_document,
    ".md": _read_document,
    ".html": _read_html,
    ".htm": _read_html,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".json": _read_json,
    ".csv": _read_csv,
    ".tsv": _read_tsv,
}

SUFFIXES = (*(kind for kind in _READERS if kind != STDIN), ".parquet")
"""The kinds of file that are read, by suffix; one of `paratype.sources.COMPRESSIONS` may stand after it."""
