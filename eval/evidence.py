"""Whether the sentences that the models name are those that readers mark.

Two readers marked, each blind to the other and to the models, the sentence that carries the label of 200 corpus rows,
and any that carry it equally. Which rule finds them best was decided on one half of the rows; the other is for scores.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paratype import LABELS, TYPES
from paratype.model import LinearModel, Model, Scores
from paratype.ngrams import NgramIndex, text_array
from paratype.sentences import sentences
from paratype.words import split
from training.corpus import Row

__all__ = ["MARKS", "Marked", "evaluate_evidence", "load_marks"]

MARKS = Path(__file__).parent / "evidence.jsonl"
"""For each row its id and what each reader marked: character offsets into its text, first the sentence that carries the
label, then those that carry it equally."""

_RESAMPLES = 1000
_TIMED_ROWS = {"fast": 4096}
_SLOW_ROWS = 200
Span = tuple[int, int]


@dataclass(frozen=True)
class Marked:
    """A paragraph with what the readers marked.

    Attributes:
        text, label: of the corpus row.
        readers: for each reader the sentences that carry the label, the first of which is the reader's choice.
        held_out: whether the rule was chosen without it.
    """

    text: str
    label: str
    readers: tuple[tuple[Span, ...], ...]
    held_out: bool

    @property
    def sentences(self) -> list[str]:
        """The sentences as the package cuts them."""
        return [self.text[start:end] for start, end in sentences(self.text)]

    def share_of_place(self, place: int) -> float:
        """Return the share of the readers who marked a sentence, by its place."""
        return self.share_of(sentences(self.text)[place])

    def share_of(self, span: Span | None) -> float:
        """Return the share of the readers who marked a sentence; no sentence is marked by none."""
        return float(np.mean([any(_is_same(span, mark) for mark in marks) for marks in self.readers])) if span else 0.0


def load_marks(rows: Sequence[Row], path: Path = MARKS) -> list[Marked]:
    """Return the marked rows of the corpus.

    Raises:
        ValueError: if a marked row is not in the corpus.
    """
    by_id = {row.id: row for row in rows}
    marked = []
    for line in path.read_text("utf-8").splitlines():
        record = json.loads(line)
        if record["id"] not in by_id:
            raise ValueError(f"{path}: row {record['id']} is not in the corpus; mark it anew or leave it out")
        row = by_id[record["id"]]
        readers = tuple(tuple((start, end) for start, end in record[name]) for name in ("first", "second"))
        marked.append(Marked(row.text, row.label, readers, _is_held_out(row.id)))
    return marked


def _is_held_out(row_id: str) -> bool:
    return int(hashlib.sha256(f"evidence:{row_id}".encode()).hexdigest(), 16) % 2 == 1


def _is_same(one: Span, other: Span) -> bool:
    """Whether two spans share more than half of the shorter one: readers had a simpler cut into sentences."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return 2 * shared > min(one[1] - one[0], other[1] - other[0])


Rule = Callable[[Marked], Any]
"""Gives each sentence of a paragraph a weight; the heaviest is chosen, the first of equals."""


def evaluate_evidence(rows: Sequence[Row], models: dict[str, Model]) -> dict[str, Any]:
    """Score the models' choice and what stands beside it on both halves, other rules on one; time the models."""
    marked = load_marks(rows)
    development = [row for row in marked if not row.held_out]
    halves = {"held-out": [row for row in marked if row.held_out], "development": development}
    return {
        "readers": _agreement(marked),
        "halves": {name: _half(half, models) for name, half in halves.items()},
        "rules": {
            name: {rule: _score([_of_rule(weigh, row) for row in development]) for rule, weigh in _rules(model).items()}
            for name, model in models.items()
            if isinstance(model, LinearModel)
        },
        "cost": {name: _cost(model, [row.text for row in rows]) for name, model in models.items()},
    }


def _half(marked: Sequence[Marked], models: dict[str, Model]) -> dict[str, Any]:
    """Score the models and what stands beside them; of a model also how far it is over the longest sentence."""
    beside = _beside(marked)
    scores = {name: _score(shares) for name, shares in beside.items()}
    for name, model in models.items():
        shares = _of_model(model, marked)
        labels = model.predict([row.text for row in marked])
        over = _score(np.subtract(shares, beside["longest sentence"]))
        right = float(np.mean(labels == [row.label for row in marked]))
        scores[name] = {**_score(shares), "over_longest": over, "label_right": right}
    return scores


def _agreement(marked: Sequence[Marked]) -> dict[str, Any]:
    """Say how often the readers chose one sentence, by label too, and what chance would give."""
    same = np.array([row.readers[0][0] == row.readers[1][0] for row in marked])
    either = [any(mark in row.readers[1] for mark in row.readers[0]) for row in marked]
    labels = np.array([row.label for row in marked])
    return {
        "rows": len(marked),
        "same": float(same.mean()),
        "in_common": float(np.mean(either)),
        "by_chance": float(np.mean([1 / len(row.sentences) for row in marked])),
        "several": [float(np.mean([len(row.readers[reader]) > 1 for row in marked])) for reader in (0, 1)],
        "by_label": {name: float(same[labels == name].mean()) for name in sorted(set(labels))},
        "sentences": dict(sorted(Counter(len(row.sentences) for row in marked).items())),
    }


def _beside(marked: Sequence[Marked]) -> dict[str, list[float]]:
    """Return how far the readers agree with what needs no model, and each with the other."""

    def at_random(row: Marked) -> float:
        return float(np.mean([row.share_of_place(place) for place in range(len(row.sentences))]))

    def of_readers(row: Marked) -> float:
        return float(np.mean([row.readers[1 - k][0] in row.readers[k] for k in (0, 1)]))

    return {
        "a sentence at random": [at_random(row) for row in marked],
        "first sentence": [row.share_of_place(0) for row in marked],
        "longest sentence": [_of_rule(lambda row: list(map(len, row.sentences)), row) for row in marked],
        "the other reader": [of_readers(row) for row in marked],
    }


def _of_model(model: Model, marked: Sequence[Marked]) -> list[float]:
    texts = text_array([row.text for row in marked])
    spans = model.evidence(texts, model.score(texts))
    return [row.share_of(span) for row, span in zip(marked, spans, strict=True)]


def _of_rule(weigh: Rule, row: Marked) -> float:
    return row.share_of_place(int(np.argmax(weigh(row))))


def _score(shares: Any) -> dict[str, Any]:
    """Return the mean with a 95 % interval by resampling paragraphs."""
    rng = np.random.default_rng(0)
    drawn = np.asarray(shares)[rng.integers(len(shares), size=(_RESAMPLES, len(shares)))].mean(axis=1)
    interval = [float(edge) for edge in np.percentile(drawn, [2.5, 97.5])]
    return {"rows": len(shares), "agrees": float(np.mean(shares)), "interval": interval}


def _rules(model: LinearModel) -> dict[str, Rule]:
    """Return rules to choose by, all for the label that the model gives the paragraph."""
    rules: dict[str, Callable[[LinearModel, Marked, int], Any]] = {
        "probability of the label": lambda model, row, label: _alone(model, row).outcomes[:, label],
        "drop in its log-odds without the sentence": _drop,
        "probability that it states the type": lambda model, row, label: _alone(model, row).states[:, _type(label)],
        "the same times the root of its length": lambda model, row, label: _states_by_length(model, row, label, 0.5),
        "the same times its length": lambda model, row, label: _states_by_length(model, row, label, 1.0),
    }
    if isinstance(model.features, NgramIndex):
        rules["contributions of its words to the type"] = _contributions
    return {name: partial(_for_label_given, rule, model) for name, rule in rules.items()}


def _for_label_given(rule: Callable[..., Any], model: LinearModel, row: Marked) -> Any:
    label = int(model.score(text_array([row.text])).label[0])
    # Nothing carries none: as in the package, no sentence is right then.
    return np.zeros(1) if LABELS[label] == "none" else rule(model, row, label)


def _type(label: int) -> int:
    return TYPES.index(LABELS[label])


def _alone(model: LinearModel, row: Marked) -> Scores:
    return model.score(text_array(row.sentences))


def _states_by_length(model: LinearModel, row: Marked, label: int, power: float) -> NDArray[Any]:
    return _alone(model, row).states[:, _type(label)] * np.array(list(map(len, row.sentences))) ** power


def _drop(model: LinearModel, row: Marked, label: int) -> NDArray[Any]:
    parts = row.sentences
    without = [" ".join(parts[:place] + parts[place + 1 :]) for place in range(len(parts))]
    probability = model.score(text_array(without)).outcomes[:, label]
    return np.log1p(-probability) - np.log(probability)


def _contributions(model: LinearModel, row: Marked, label: int) -> NDArray[Any]:
    column = len(LABELS) + _type(label)
    ends = split(text_array(row.sentences)).offsets[1:]
    added = np.zeros(len(ends))
    for part in model.features.counted(row.text):  # type: ignore[attr-defined]
        added[np.searchsorted(ends, part.position, side="right")] += model.heads.weights[part.column, column]
    return added


def _cost(model: Model, texts: Sequence[str]) -> dict[str, float]:
    """Return paragraphs a second of one processor's time without and with evidence, medians of five rounds in turn."""
    array = text_array(list(texts[: _TIMED_ROWS.get(model.name, _SLOW_ROWS)]))
    seconds: dict[str, list[float]] = {"without": [], "with": []}
    for _ in range(5):
        start = time.process_time()
        scores = model.score(array, threads=1)
        labelled = time.process_time()
        model.evidence(array, scores, threads=1)
        seconds["without"].append(labelled - start)
        seconds["with"].append(time.process_time() - start)
    return {name: len(array) / float(np.median(taken)) for name, taken in seconds.items()}
