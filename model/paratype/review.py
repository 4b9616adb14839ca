"""Which labelled rows are most worth a person's eye: those the model is least sure of, as different as can be."""

from __future__ import annotations

import heapq
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from paratype.batch import Labelled
from paratype.text import MOST_WORDS, paragraph_hash

__all__ = ["Candidate", "Candidates", "worth_a_look"]

# So many of the least certain rows are kept to choose from, or twice as many as are wanted.
_LEAST_CERTAIN = 2000
# No paragraph of so many words as are allowed has more characters than this, except in text that nobody would read.
_MOST_CHARACTERS = 8000
# Texts are told apart by which of so many numbers their words fall on.
_BUCKETS = 2048
_WORD = re.compile(r"\w{4,}")


@dataclass(frozen=True)
class Candidate:
    """A labelled row that a person might look at.

    Attributes:
        source, paragraph: where it stands, as in `paratype.reading.Row`.
        text: the text on one line.
        label, score, labels: what the model says of it.
        scores: probability of each outcome, rounded as in the output.
    """

    source: str
    paragraph: int | None
    text: str
    label: str
    score: float
    labels: list[str]
    scores: dict[str, float]


class Candidates:
    """The least certain of the rows given to it, each text once. Memory does not grow with the rows.

    Left out are rows without an answer, blank ones, and those of more than `paratype.text.MOST_WORDS` words, which
    are no paragraphs that could be learnt from. In a ``with`` statement, it lets go of its file at the end.

    Args:
        wanted: how many rows will be chosen.
        folder: where to note the rows that were taken, so that another one, made with the same folder, goes on where
            this one was flushed; None to note nothing.
    """

    def __init__(self, wanted: int, folder: Path | None = None) -> None:
        self._most = max(_LEAST_CERTAIN, 2 * wanted)
        self._heap: list[tuple[float, int, str, Candidate]] = []  # the surest first
        self._keys: set[str] = set()
        self._taken = 0
        self._file = (folder / "candidates.jsonl").open("a+b") if folder else None
        if self._file:
            self._file.seek(0)
            for line in self._file:
                self._take(Candidate(**json.loads(line)))

    def __enter__(self) -> Candidates:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._file:
            with suppress(OSError):  # from what was never flushed, after an error that says the same
                self._file.close()

    def add(self, labelled: Labelled) -> None:
        """Consider some rows."""
        scores = np.from_dlpack(pc.fill_null(labelled.answers["score"], 1.0))
        for place in np.flatnonzero(scores < 1.0).tolist():
            if self._has_room_for(scores[place]):
                candidate = _candidate(labelled, place)
                if candidate and self._take(candidate) and self._file:
                    self._file.write(json.dumps(asdict(candidate)).encode() + b"\n")

    def flush(self) -> None:
        """Hand on what was taken so far to the operating system."""
        if self._file:
            self._file.flush()

    def __iter__(self) -> Iterator[Candidate]:
        """Yield the candidates, the least certain first."""
        return (candidate for *_, candidate in sorted(self._heap, reverse=True))

    def _has_room_for(self, score: float) -> bool:
        return len(self._heap) < self._most or score < -self._heap[0][0]

    def _take(self, candidate: Candidate) -> bool:
        key = paragraph_hash(candidate.text)
        if key in self._keys:
            return False
        self._keys.add(key)
        self._taken += 1
        entry = (-candidate.score, -self._taken, key, candidate)  # of two equally sure ones, the first stays
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        else:
            self._keys.discard(heapq.heapreplace(self._heap, entry)[2])
        return True


def _candidate(labelled: Labelled, place: int) -> Candidate | None:
    row = labelled.rows[place]
    words = row.text.split() if len(row.text) <= _MOST_CHARACTERS else []
    if not 1 <= len(words) <= MOST_WORDS:
        return None
    (answer,) = labelled.answers.slice(place, 1).to_pylist()
    scores = {name.removeprefix("p_"): value for name, value in answer.items() if name.startswith("p_")}
    return Candidate(
        row.source, row.paragraph, " ".join(words), answer["label"], answer["score"], answer["labels"], scores
    )


def worth_a_look(candidates: Sequence[Candidate], count: int) -> list[Candidate]:
    """Choose so many candidates, in the order in which a person should look at them.

    The first is the least certain. Each next one has the largest product of doubt (1 - score) and distance to the
    nearest one chosen before it: 1 less the Jaccard index of the two texts' words of four letters and more. All sums
    are of whole numbers, so that the same candidates give the same choice on any machine.
    """
    words = _word_table([candidate.text for candidate in candidates])
    sizes = words.sum(axis=1)
    doubt = 1 - np.array([candidate.score for candidate in candidates])
    distance = np.ones(len(candidates))
    chosen: list[int] = []
    while len(chosen) < min(count, len(candidates)):
        worth = doubt * distance
        worth[chosen] = -1
        place = int(worth.argmax())
        chosen.append(place)
        shared = words @ words[place]
        distance = np.minimum(distance, 1 - shared / np.maximum(sizes + sizes[place] - shared, 1))
    return [candidates[place] for place in chosen]


def _word_table(texts: Sequence[str]) -> NDArray[Any]:
    """Return which words each text has: zeros and ones of shape (texts, buckets)."""
    table = np.zeros((len(texts), _BUCKETS), np.float32)
    for row, text in zip(table, texts, strict=True):
        row[[zlib.crc32(word.encode("utf-8", "replace")) % _BUCKETS for word in _WORD.findall(text.casefold())]] = 1
    return table
