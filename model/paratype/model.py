"""A trained model: features, linear heads, calibration, decision. Arrays only; no estimator objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from paratype.ngrams import text_array
from paratype.text import Paragraph, check_texts, paragraphs
from paratype.types import Label, Prediction

__all__ = ["Decision", "Features", "Heads", "Model", "Scores"]

Floats = NDArray[np.floating[Any]]


class Features(Protocol):
    """Turns texts into numbers."""

    @property
    def chunk(self) -> int:
        """How many texts to take at a time."""

    def matrix(self, texts: pa.Array) -> Any:
        """Return a dense or sparse matrix, one row per text, to be multiplied with `Heads.weights`."""


@dataclass(frozen=True)
class Heads:
    """Linear heads and their calibration, for k outcomes and t types.

    Attributes:
        weights: (features, k + t): columns for the outcomes, then for the types.
        bias: (k + t,).
        temperature: the outcomes' logits are divided by it before the softmax.
        slope, offset: (t,): the types' logits are scaled and shifted by them before the logistic function.
    """

    weights: Floats
    bias: Floats
    temperature: float
    slope: Floats
    offset: Floats


@dataclass(frozen=True)
class Decision:
    """How probabilities become labels.

    Attributes:
        outcomes: names of the k outcomes, sorted.
        thresholds: for each outcome that is not ``none``, in order, the probability from which on a
            paragraph is said to state it.
        review_below: the score under which a person should look.
    """

    outcomes: tuple[str, ...]
    thresholds: tuple[float, ...]
    review_below: float

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Decision:
        """Build it from plain values; a missing key, a wrong type or a wrong count is a ValueError that names it."""
        for field in fields(cls):
            if field.name not in config:
                raise ValueError(f"the decision config lacks {field.name!r}; it has {sorted(config)}")
        outcomes, numbers = config["outcomes"], [*config["thresholds"], config["review_below"]]
        if not all(isinstance(name, str) for name in outcomes) or outcomes != sorted(set(outcomes)):
            raise ValueError(f"expected outcomes sorted and each once, got {outcomes}")
        if not all(type(number) is float for number in numbers):
            raise ValueError(f"expected thresholds and review_below to be floats, got {numbers}")
        decision = cls(tuple(outcomes), tuple(config["thresholds"]), config["review_below"])
        if len(decision.thresholds) != len(decision.types):
            raise ValueError(f"expected one threshold for each of {decision.types}, got {len(decision.thresholds)}")
        return decision

    @property
    def types(self) -> tuple[str, ...]:
        """The outcomes that are paragraph types: all but ``none``."""
        return tuple(outcome for outcome in self.outcomes if outcome != Label.NONE)


@dataclass(frozen=True)
class Scores:
    """What a model makes of n texts.

    Attributes:
        outcomes: (n, k) calibrated probabilities that add up to 1 in each row.
        states: (n, t) calibrated probabilities, each type for itself.
        label: (n,) place of the label among the outcomes.
        score: (n,) probability of the label.
        stated: (n, t) whether each type is among the labels.
        review: (n,) whether a person should look.
    """

    outcomes: Floats
    states: Floats
    label: NDArray[np.int64]
    score: Floats
    stated: NDArray[np.bool_]
    review: NDArray[np.bool_]


@dataclass(frozen=True)
class Model:
    """A trained model, ready to label texts.

    Methods that take texts refuse a bare string (TypeError) and keep order: one answer for each text.
    Texts may be as long as memory allows; blank ones are ``none``.
    """

    name: str
    features: Features
    heads: Heads
    decision: Decision

    def predict(self, texts: Iterable[str]) -> NDArray[np.str_]:
        """Return the label of each text: array of strings, shape (texts,)."""
        scores = self.score(text_array(check_texts(texts)))
        return np.array(self.decision.outcomes)[scores.label]

    def predict_proba(self, texts: Iterable[str]) -> Floats:
        """Return calibrated probabilities, shape (texts, outcomes), columns as `decision.outcomes`."""
        return self.score(text_array(check_texts(texts))).outcomes

    def label_texts(self, texts: Iterable[str]) -> list[Prediction]:
        """Return one `Prediction` per text, in order."""
        return list(self._predictions(self.score(text_array(check_texts(texts)))))

    def label_document(self, document: str) -> list[tuple[Paragraph, Prediction]]:
        """Cut a document into paragraphs and label each; see `paratype.text.paragraphs`."""
        cut = paragraphs(document)
        return list(zip(cut, self.label_texts([paragraph.text for paragraph in cut]), strict=True))

    def score(self, texts: pa.Array) -> Scores:
        """Return the `Scores` of an Arrow string array without nulls."""
        starts = range(0, len(texts), self.features.chunk) or [0]
        logits = np.concatenate([self._logits(texts.slice(start, self.features.chunk)) for start in starts])
        return self._decide(logits, _is_blank(texts))

    def _logits(self, texts: pa.Array) -> Floats:
        return np.asarray(self.features.matrix(texts) @ self.heads.weights + self.heads.bias, dtype=np.float64)

    def _decide(self, logits: Floats, blank: NDArray[np.bool_]) -> Scores:
        k = len(self.decision.outcomes)
        outcomes = softmax(logits[:, :k] / self.heads.temperature)
        states = logistic(logits[:, k:] * self.heads.slope + self.heads.offset)
        if Label.NONE in self.decision.outcomes:
            outcomes[blank] = np.array(self.decision.outcomes) == Label.NONE
            states[blank] = 0
        label = outcomes.argmax(axis=1)
        score = np.take_along_axis(outcomes, label[:, None], axis=1)[:, 0]
        names = np.array(self.decision.outcomes)[label]
        stated = (states >= self.decision.thresholds) | (names[:, None] == np.array(self.decision.types))
        stated[names == Label.NONE] = False
        return Scores(outcomes, states, label, score, stated, score < self.decision.review_below)

    def _predictions(self, scores: Scores) -> Iterator[Prediction]:
        outcomes, types = self.decision.outcomes, self.decision.types
        for row in range(len(scores.label)):
            yield Prediction(
                label=outcomes[scores.label[row]],
                score=float(scores.score[row]),
                labels=tuple(np.array(types)[scores.stated[row]].tolist()),
                scores=dict(zip(outcomes, scores.outcomes[row].tolist(), strict=True)),
                states=dict(zip(types, scores.states[row].tolist(), strict=True)),
                review=bool(scores.review[row]),
            )


def softmax(logits: Floats) -> Floats:
    """Return probabilities that add up to 1 in each row."""
    exponentials: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
    exponentials /= exponentials.sum(axis=1, keepdims=True)
    return exponentials


def logistic(logits: Floats) -> Floats:
    """Return 1 / (1 + exp(-logits)), without overflow."""
    probabilities: Floats = 0.5 * (1 + np.tanh(0.5 * logits))
    return probabilities


def _is_blank(texts: pa.Array) -> NDArray[np.bool_]:
    blank: NDArray[np.bool_] = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(texts)), 0).to_numpy(
        zero_copy_only=False
    )
    return blank
