"""From corrected rows, as a spreadsheet saved them, to corpus rows of the user's own."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from paratype import LABELS, TYPES
from paratype.reading import AUTO, Failure, read_rows, suffixes
from paratype.writing.cells import unguarded
from paratype.writing.review import key_of
from training.check import row_problems
from training.corpus import CORRECTED, Row

__all__ = ["Corrected", "read_corrected"]

_SHOWN = 60  # characters of a row's text, by which a person finds it


@dataclass
class Corrected:
    """What a file of corrected rows holds.

    Attributes:
        rows: the rows by what a person calls them: file, number, how the text begins.
        problems: what is wrong with rows, and what to do.
        skipped: rows without a label, which nobody judged.
        changed: rows whose label is not what the model said.
        followed: those of them whose ``labels`` were left as they were, without the new label; there it stands for the
            old one.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    skipped: int = 0
    changed: int = 0
    followed: int = 0

    def take(self, where: str, cells: Mapping[str, str]) -> None:
        """Take one row."""
        answer = _Answer.of(cells)
        row = _row(" ".join(cells["text"].split()), answer)
        self.rows[where] = row
        self.changed += answer.is_changed
        self.followed += answer.is_followed
        found = [*_key_problems(row.text, cells), *answer.problems()] or [*row_problems(asdict(row), (CORRECTED,))]
        self.problems += (f"{where}: {problem}" for problem in found)


def read_corrected(
    path: Path, *, first: int | None = None, encoding: str = AUTO, on_note: Callable[[str], None] = print
) -> Corrected:
    """Read rows that a person corrected: any table with ``text`` and ``label``, and perhaps ``labels``.

    Labels may be written with capitals and spaces; ``labels`` are parted by semicolons or commas, and empty ones stand
    for the label alone.

    Args:
        path: what ``paratype label --review`` wrote, saved by whatever program, or another table.
        first: how many rows from the top to take; None for all.
        encoding: of the file; see `paratype.reading.read_rows`.
        on_note: told what a person should know of the file, such as an encoding that was guessed.

    Raises:
        Failure: if the file cannot be read.
    """
    corrected = Corrected()
    # A spreadsheet counts from 1, and the names of the columns are its first row.
    start = 2 if suffixes(path.name)[0] in (".csv", ".tsv") else 1
    for number, row in enumerate(islice(read_rows(str(path), encoding=encoding, on_note=on_note), first), start):
        cells = {name: _cell(value) for name, value in row.columns.items()}
        where = f"{path} row {number} ({_shown(cells.get('text', ''))})"
        if row.error:
            corrected.problems.append(f"{where}: {row.error}")
        elif "label" not in cells:
            raise Failure(f"{path}: expected columns text and label, got {', '.join(cells) or 'none'}; name them so")
        elif not cells["label"]:
            corrected.skipped += 1
        else:
            corrected.take(where, cells)
    return corrected


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(map(str, value))
    return "" if value is None else unguarded(str(value)).strip()


def _shown(text: str) -> str:
    return f"“{text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}”"


@dataclass(frozen=True)
class _Answer:
    """What a person says of a row, and what the model said of it: its label first, then further types; or nothing."""

    label: str
    given: tuple[str, ...]
    said: tuple[str, ...]

    @classmethod
    def of(cls, cells: Mapping[str, str]) -> _Answer:
        given, said = (tuple(_names(cells.get(column, ""))) for column in ("labels", "said"))
        return cls(_name(cells["label"]), given, said)

    @property
    def is_changed(self) -> bool:
        return bool(self.said) and self.label != self.said[0]

    @property
    def is_followed(self) -> bool:
        untouched = set(self.given) == {*self.said} - {"none"}
        return self.is_changed and bool(self.given) and untouched and self.label not in self.given

    @property
    def labels(self) -> list[str]:
        if not self.given or (self.is_followed and self.label == "none"):
            return [] if self.label == "none" else [self.label]
        if self.is_followed:
            return sorted({*self.given, self.label} - {self.said[0]})
        return sorted(set(self.given) - {"none"})

    def problems(self) -> Iterator[str]:
        for name in dict.fromkeys((self.label, *self.given)):
            if name not in LABELS:
                close = difflib.get_close_matches(name, LABELS, 1)
                guess = f"did you mean {close[0]}? " if close else ""
                yield f"unknown label {name!r}; {guess}Expected one of {', '.join(LABELS)}"
        if self.label == "none" and self.labels:
            yield f"label none goes with empty labels, got {'; '.join(self.labels)}; empty labels, or change label"
        elif self.label in TYPES and self.label not in self.labels:
            yield (
                f"label {self.label} is not among labels {'; '.join(self.labels)}; "
                "put there every type that the text states, or empty the cell for the label alone"
            )


def _names(cell: str) -> list[str]:
    return [_name(part) for part in re.split("[;,|]", cell) if part.strip()]


def _name(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip().casefold())


def _row(text: str, answer: _Answer) -> Row:
    key = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
    nothing = dict.fromkeys(("article", "region", "genre", "period"), "")
    return Row(
        id=key, text=text, label=answer.label, labels=tuple(answer.labels), origin=CORRECTED, group=key, readers=1,
        **nothing,
    )  # fmt: skip


def _key_problems(text: str, cells: Mapping[str, str]) -> Iterator[str]:
    if cells.get("key") and cells["key"] != key_of(text):
        yield (
            "the text is not what was written there: spreadsheets change dates, numbers and letters that their "
            "encoding lacks; put the text back, or empty the cell under key if you meant to change it"
        )
