"""The file in which a person corrects labels: a table for a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from paratype.review import Candidate, worth_a_look
from paratype.text import paragraph_hash
from paratype.writing.cells import guarded

__all__ = ["REVIEW_COLUMNS", "key_of", "write_review"]

REVIEW_COLUMNS = ("source", "paragraph", "text", "label", "labels", "score", "reason", "said", "key")
"""``label`` and ``labels`` are to be corrected; ``said`` keeps what the model said, the label first; ``key`` tells
whether the text is still what was written."""


def write_review(path: Path, candidates: Iterable[Candidate], count: int) -> int:
    """Write the rows most worth a person's eye as CSV, and return how many there are: at most ``count``.

    The file is UTF-8 with a mark, without which spreadsheets take it for something else.
    """
    chosen = worth_a_look(list(candidates), count)
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(REVIEW_COLUMNS)
        table.writerows(map(_cells, chosen))
    return len(chosen)


def key_of(text: str) -> str:
    """Return a key of a text that no spreadsheet takes for a number."""
    return f"k{paragraph_hash(text)}"


def _cells(row: Candidate) -> list[str]:
    text = row.text.encode("utf-8", "replace").decode()
    place = "" if row.paragraph is None else str(row.paragraph)
    said = [row.label, *(name for name in row.labels if name != row.label)]
    cells = [row.source, place, text, row.label, ";".join(row.labels), str(row.score), _reason(row), ";".join(said)]
    return [guarded(cell) for cell in [*cells, key_of(text)]]


def _reason(row: Candidate) -> str:
    likeliest = sorted(row.scores.items(), key=lambda item: -item[1])[:2]
    return " or ".join(f"{name} {score:.2f}" for name, score in likeliest)
