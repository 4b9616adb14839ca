"""From JSON, and JSON lines, to rows: one for each object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from math import isfinite
from typing import Any

from paratype.reading import limits
from paratype.reading.documents import read_document
from paratype.reading.rows import Input, Row, has_column, lines_of, listed, no_column

__all__ = ["read_json", "read_jsonl", "read_text_or_jsonl"]


def read_text_or_jsonl(given: Input, pieces: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of JSON lines, if the first line that is not blank is an object, else the paragraphs of a text."""
    lines = lines_of(pieces)
    head: list[str | None] = []
    for line in islice(lines, limits.MOST_BLANK_LINES):
        head.append(line)
        if line is None or line.strip():
            break
    if head and (head[-1] is None or _is_object(head[-1])):
        yield from _jsonl_rows(given, chain(head, lines))
    else:
        yield from read_document(given, (given.or_fail(line, "a line") for line in chain(head, lines)))


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def read_jsonl(given: Input, pieces: Iterable[str]) -> Iterator[Row]:
    """Yield a row for each line."""
    yield from _jsonl_rows(given, lines_of(pieces))


def _jsonl_rows(given: Input, lines: Iterable[str | None]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if line is None:
            yield Row(given.source, "", error=f"line {number}: {limits.too_long(limits.LONGEST_TEXT)}")
        elif line.strip():
            try:
                item = _JSON.decode(line)
            except (ValueError, RecursionError) as error:
                yield Row(given.source, "", error=f"line {number}: not JSON: {error}")
            else:
                row = _json_row(given, item, f"line {number}")
                row.size = len(line)
                yield row


def _json_row(given: Input, item: Any, where: str) -> Row:
    if not isinstance(item, dict):
        return Row(given.source, "", error=f"{where}: expected an object, got {type(item).__name__}")
    if not has_column(item, given.text_column):
        return Row(given.source, "", item, error=f"{where}: {no_column(given.text_column, item)}")
    return given.row(item, where)


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError(f"{digits} is no JSON number")
    return number


# Python reads NaN and Infinity, and 1e999 as Infinity, which no other reader of what we write would take.
_JSON = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)
_SPACE = re.compile(r"[ \t\r\n]*")


def read_json(given: Input, pieces: Iterable[str]) -> Iterator[Row]:
    """Yield a row for each object of a list, or for the one object that there is."""
    text = given.whole(pieces)
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


def _single_row(given: Input, item: Any) -> Row:
    expected = f"expected a list of objects, or one object with the column {given.text_column!r}"
    if not isinstance(item, dict):
        raise given.failure(f"{expected}, got {type(item).__name__}")
    if has_column(item, given.text_column):
        return given.row(item, "item 1")
    lists = [name for name, value in item.items() if isinstance(value, list)]
    if lists:
        raise given.failure(f"{expected}, got an object that holds a list in {listed(lists)}; save that list alone")
    raise given.failure(f"{expected}, got one with {listed(item)}; name the column with --text-column")
