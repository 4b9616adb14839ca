"""From tables of comma- or tab-separated cells to rows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import chain

from paratype.reading import limits
from paratype.reading.rows import Input, Row, lines_of

__all__ = ["read_csv", "read_tsv"]

_OTHER_DELIMITERS = ";\t|"
_DELIMITER_NAMES = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def read_csv(given: Input, pieces: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of a table with commas, or what else its header has, between cells."""
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


def _header(given: Input, lines: Iterator[str], delimiter: str) -> list[str]:
    _, header = next(_cells(given, lines, delimiter), (0, []))
    return header


def _kept(lines: Iterator[str], kept: list[str]) -> Iterator[str]:
    for line in lines:
        kept.append(line)
        yield line


def read_tsv(given: Input, pieces: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of a table with tabs between cells."""
    yield from _table_rows(given, _short_lines(given, pieces), "\t")


def _short_lines(given: Input, pieces: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines_of(pieces), 1):
        yield given.or_fail(line, f"line {number}")


def _table_rows(given: Input, lines: Iterator[str], delimiter: str) -> Iterator[Row]:
    table = _cells(given, lines, delimiter)
    _, header = next(table, (0, None))
    if header is None:
        return
    given.check_names(header)
    for number, cells in table:
        if len(cells) != len(header):
            columns = dict(zip(header, cells, strict=False))
            error = f"row {number}: expected {len(header)} cells, got {len(cells)}"
            yield Row(given.source, "", columns, error=error)
        else:
            row = given.row(dict(zip(header, cells, strict=True)), f"row {number}")
            row.size = sum(map(len, cells))
            yield row


def _cells(given: Input, lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with its number, from 1."""
    csv.field_size_limit(limits.LONGEST_TEXT)  # 128 KB by itself
    number = 0
    try:
        for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), 1):
            if cells:
                yield number, cells
    except csv.Error as error:
        if "field limit" in str(error):
            raise given.failure(
                f"row {number + 1} has a cell of {limits.too_long(limits.LONGEST_TEXT)}; "
                "perhaps a quote is not closed there"
            ) from error
        reason, *_ = str(error).split(" - ")  # what follows is advice for programmers
        raise given.failure(
            f"row {number + 1} is not CSV: {reason}; put cells that hold line ends in quotes, "
            "and end lines as Unix or Windows does"
        ) from error
