"""Rows of the user's own, beside the corpus: kept in one file, learnt from together with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from paratype.runs.durable import sync_file
from paratype.text import paragraph_hash
from training.check import copies_of, row_problems
from training.corpus import CORRECTED, Row, read_rows

__all__ = ["Stored", "clashes", "load_added", "store"]


@dataclass(frozen=True)
class Stored:
    """How many rows were new in a file, replaced an older answer, or were there already."""

    new: int
    replaced: int
    kept: int


def clashes(rows: Mapping[str, Row], corpus: Sequence[Row]) -> list[str]:
    """Return which rows, by what a person calls them, have the text of another one or are near copies of the corpus."""
    found, first = [], {}
    for where, row in rows.items():
        before = first.setdefault(paragraph_hash(row.text), where)
        if before != where:
            found.append(f"{where}: has the text of {before}; delete one of the two")
    copied = {row.id: known.id for row, known in copies_of(list(rows.values()), corpus)}
    for where, row in rows.items():
        if row.id in copied:
            found.append(f"{where}: is a near copy of row {copied[row.id]} of the corpus; delete it")
    return found


def load_added(paths: Iterable[Path]) -> list[Row]:
    """Return the rows of some files that `store` wrote.

    Raises:
        ValueError: if a file is none, or rows break the rules of the corpus; all that is wrong is named.
    """
    rows: dict[str, Row] = {}
    problems = []
    for path in paths:
        for number, record in enumerate(_records(path), 1):
            where = f"{path} line {number}"
            found = list(row_problems(record, (CORRECTED,)))
            problems += (f"{where}: {problem}" for problem in found)
            if not found:
                rows[where] = Row.from_json(record)
    problems += clashes(rows, [])
    if problems:
        raise ValueError("\n".join(problems))
    return list(rows.values())


def _records(path: Path) -> list[dict[str, object]]:
    try:
        records = read_rows(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{path}: {reason}; expected a file that `python -m training add` wrote") from error
    if not all(isinstance(record, dict) for record in records):
        raise ValueError(
            f"{path}: expected a JSON object on each line; name a file that `python -m training add` wrote"
        )
    return records


def store(rows: Iterable[Row], path: Path) -> Stored:
    """Put rows into a file, which is made if need be; a text that is there already gets the newer answer.

    The file is whole at any time.
    """
    held = {paragraph_hash(row.text): row for row in (load_added([path]) if path.exists() else [])}
    new = replaced = kept = 0
    for row in rows:
        before = held.get(paragraph_hash(row.text))
        new += before is None
        kept += before == row
        replaced += before not in (None, row)
        held[paragraph_hash(row.text)] = row
    lines = (json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in held.values())
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_text("".join(lines), "utf-8", newline="\n")
    sync_file(unfinished)
    unfinished.replace(path)
    return Stored(new, replaced, kept)
