"""What a reading page shows of labelled rows: each as it is to stand there, and each document in outline."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from paratype.types import Label

__all__ = ["ERROR", "Document", "Kinds", "clean", "kept", "outline", "shown_rows", "together"]

ERROR = "error"
_KNOWN = (
    Label.ATTACK_REPORT.value,
    Label.THREAT_STATEMENT.value,
    Label.CASUALTY_FIGURE.value,
    Label.ANALYSIS.value,
    Label.NONE.value,
    ERROR,
)
# Control characters, halves of characters, and marks that turn the reading direction of all that follows.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202d\u202e\ufdd0-\ufdef\ufffe\uffff]")
_LONGEST_SHOWN = 20_000
_MOST_COLUMNS, _LONGEST_CELL = 6, 60


def clean(text: str) -> str:
    """Return a text of the same length without what has no place on a page."""
    return _UNFIT.sub("\ufffd", text)


class Kinds:
    """The types on a page, with a number for each: those that ship in a fixed order, then others as they come up.

    One more stands for rows that could not be read.
    """

    def __init__(self) -> None:
        self._numbers = {name: number for number, name in enumerate(_KNOWN)}

    def number(self, name: str) -> int:
        """Return the number of a type."""
        return self._numbers.setdefault(name, len(self._numbers))

    def names(self) -> list[str]:
        """Return all types by their numbers."""
        return list(self._numbers)


@dataclass
class Document:
    """One input in outline.

    Attributes:
        number: its place on the page, from 1.
        source: its name.
        kinds: the number of each row's type, in order.
        review: how many rows a person should look at.
    """

    number: int
    source: str
    kinds: array[int] = field(default_factory=lambda: array("H"))
    review: int = 0

    def runs(self) -> list[tuple[int, int, int]]:
        """Return type, place and length of each run of rows that have the same type."""
        runs, place = [], 0
        for kind, group in groupby(self.kinds):
            length = sum(1 for _ in group)
            runs.append((kind, place, length))
            place += length
        return runs

    def counts(self) -> list[tuple[int, int, int]]:
        """Return the types there are as if the rows were sorted by them; see `runs`."""
        return Document(self.number, self.source, array("H", sorted(self.kinds))).runs()


def kept(record: Mapping[str, Any], text_column: str) -> dict[str, Any]:
    """Return what the page needs of a record of `paratype.batch.Labelled`."""
    names = list(record)
    own = names[: names.index("source")]
    chances = {name[2:]: record[name] for name in names[len(own) :] if name.startswith("p_")}
    needed = ("source", "paragraph", "label", "score", "labels", "review", "error", "evidence")
    return {
        **{name: record.get(name) for name in needed},
        "text": record.get("text") or record.get(text_column) or "",
        "second": _second(chances, record["label"]) if record["review"] else None,
        "columns": list(_short_columns({name: record[name] for name in own if name not in ("text", text_column)})),
    }


def _second(chances: Mapping[str, float], label: str) -> tuple[str, float] | None:
    others = [(name, chance) for name, chance in chances.items() if name != label]
    return max(others, key=lambda pair: pair[1], default=None)


def _short_columns(columns: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the first columns that fit on a line below the text, and tell one row from another."""
    short = ((name, str(value)) for name, value in columns.items() if isinstance(value, (str, int, float)))
    fitting = [(name, value) for name, value in short if value and len(name) + len(value) <= _LONGEST_CELL]
    yield from fitting[:_MOST_COLUMNS]


def outline(records: Iterable[Mapping[str, Any]], kinds: Kinds) -> list[Document]:
    """Return the documents that some records (see `kept`) are from."""
    documents = []
    for number, (source, group) in enumerate(groupby(records, key=lambda record: record["source"]), 1):
        document = Document(number, source)
        for record in group:
            document.kinds.append(kinds.number(record["label"] or ERROR))
            document.review += bool(record["review"])
        documents.append(document)
    return documents


def together(documents: Iterable[Document]) -> Document:
    """Return all documents as one."""
    whole = Document(0, "")
    for document in documents:
        whole.kinds.extend(document.kinds)
        whole.review += document.review
    return whole


def shown_rows(records: Iterable[Mapping[str, Any]], kinds: Kinds) -> Iterator[tuple[int, Iterator[Mapping[str, Any]]]]:
    """Yield for each document its number, and what the template needs of each of its rows."""
    place = flagged = 0

    def shown(group: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        nonlocal place, flagged
        for in_document, record in enumerate(group):
            place, flagged = place + 1, flagged + bool(record["review"])
            kind = kinds.number(record["label"] or ERROR)
            yield {
                **record,
                "id": f"r{flagged}" if record["review"] else f"p{place}",
                "flag": flagged if record["review"] else None,
                "kind": kind,
                "number": in_document if record["paragraph"] is None else record["paragraph"],
                "also": [name for name in record["labels"] or () if name != record["label"]],
                "parts": _parts(record),
                "left_out": max(0, len(record["text"]) - _LONGEST_SHOWN),
            }

    for number, (_, group) in enumerate(groupby(records, key=lambda record: record["source"]), 1):
        yield number, shown(group)


def _parts(record: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the text before, in and after the evidence; all of it stands before if there is none."""
    text = record["text"][:_LONGEST_SHOWN]
    evidence = record["evidence"] or {}
    start, end = evidence.get("start"), evidence.get("end")
    if start is None or end is None or not 0 <= start < end <= len(text):
        return text, "", ""
    return text[:start], text[start:end], text[end:]
