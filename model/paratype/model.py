"""A trained model: features, linear heads, calibration, decision. Arrays only; no estimator objects."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from paratype.columns import numpy_column
from paratype.evidence import carrying_sentences
from paratype.ngrams import text_array
from paratype.text import Paragraph, check_texts, paragraphs
from paratype.types import Evidence, Label, Prediction

__all__ = ["Cascade", "Decision", "Features", "Floats", "Heads", "LinearModel", "Model", "Scores", "in_chunks"]

Floats = NDArray[np.floating[Any]]


class Features(Protocol):
    """Turns texts into numbers."""

    @property
    def chunk(self) -> int:
        """How many texts to take at a time."""

    def scorer(self, weights: Floats) -> Callable[[pa.Array], Floats]:
        """Return a function that gives the product of the texts' features, one row each, and `Heads.weights`."""


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


class Model(ABC):
    """A trained model, ready to label texts.

    Methods that take texts refuse a bare string (TypeError) and keep order: one answer for each text.
    Texts may be as long as memory allows; blank ones are ``none``.

    Attributes:
        name: as in `paratype.load`.
        decision: how its probabilities become labels.
        chunk: how many texts one thread takes at a time.
    """

    name: str
    decision: Decision
    chunk: int

    @abstractmethod
    def score(self, texts: pa.Array, *, threads: int | None = None) -> Scores:
        """Return the `Scores` of an Arrow string array without nulls; they do not depend on the threads.

        Args:
            texts: the texts.
            threads: how many to use at most; as many as there are processors if None.
        """

    def predict(self, texts: Iterable[str]) -> NDArray[np.str_]:
        """Return the label of each text: array of strings, shape (texts,)."""
        scores = self.score(text_array(check_texts(texts)))
        return np.array(self.decision.outcomes)[scores.label]

    def predict_proba(self, texts: Iterable[str]) -> Floats:
        """Return calibrated probabilities, shape (texts, outcomes), columns as `decision.outcomes`."""
        return self.score(text_array(check_texts(texts))).outcomes

    def label_texts(self, texts: Iterable[str], *, evidence: bool = False) -> list[Prediction]:
        """Return one `Prediction` per text, in order; with the `Evidence` if asked for."""
        checked = check_texts(texts)
        array = text_array(checked)
        scores = self.score(array)
        predictions = self._predictions(scores)
        if not evidence:
            return list(predictions)
        found = zip(checked, self.evidence(array, scores), predictions, strict=True)
        return [
            replace(prediction, evidence=Evidence(text[slice(*span)], *span)) if span else prediction
            for text, span, prediction in found
        ]

    def label_document(self, document: str, *, evidence: bool = False) -> list[tuple[Paragraph, Prediction]]:
        """Cut a document into paragraphs (`paratype.text.paragraphs`) and label each, as `label_texts` does."""
        cut = paragraphs(document)
        labelled = self.label_texts([paragraph.text for paragraph in cut], evidence=evidence)
        return list(zip(cut, labelled, strict=True))

    def evidence(self, texts: pa.Array, scores: Scores, *, threads: int | None = None) -> list[tuple[int, int] | None]:
        """Return where in each text the sentence is that carries its label, None for ``none``.

        See `paratype.evidence` for how it is found.

        Args:
            texts: an Arrow string array without nulls.
            scores: what `score` gave for it.
            threads: as there.
        """
        places = {name: place for place, name in enumerate(self.decision.types)}
        types = np.array([places.get(name, -1) for name in self.decision.outcomes])[scores.label]
        return carrying_sentences(
            texts.to_pylist(), types, lambda alone: self._of_sentences.score(alone, threads=threads).states
        )

    @property
    def _of_sentences(self) -> Model:
        """The model that reads sentences alone."""
        return self

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


@dataclass(frozen=True)
class LinearModel(Model):
    """Features, linear heads on them, calibration, decision."""

    name: str
    features: Features
    heads: Heads
    decision: Decision

    @property
    def chunk(self) -> int:  # type: ignore[override]
        """How many texts one thread takes at a time."""
        return self.features.chunk

    def score(self, texts: pa.Array, *, threads: int | None = None) -> Scores:
        """Return the `Scores` of an Arrow string array without nulls."""
        logits = in_chunks(self._logits, texts, self.chunk, threads=threads)
        return self._decide(logits, _is_blank(texts))

    def _logits(self, texts: pa.Array) -> Floats:
        return np.asarray(self._product(texts) + self.heads.bias, dtype=np.float64)

    @cached_property
    def _product(self) -> Callable[[pa.Array], Floats]:
        return self.features.scorer(self.heads.weights)

    def _decide(self, logits: Floats, blank: NDArray[np.bool_]) -> Scores:
        k = len(self.decision.outcomes)
        outcomes = softmax(logits[:, :k] / self.heads.temperature)
        states = logistic(logits[:, k:] * self.heads.slope + self.heads.offset)
        if Label.NONE in self.decision.outcomes:
            outcomes[blank] = np.array(self.decision.outcomes) == Label.NONE
            states[blank] = 0
        label = outcomes.argmax(axis=1)
        score = np.take_along_axis(outcomes, label[:, None], axis=1)[:, 0]
        types = [self.decision.outcomes.index(name) for name in self.decision.types]
        stated = (states >= self.decision.thresholds) | (label[:, None] == types)
        stated[~np.isin(label, types)] = False
        return Scores(outcomes, states, label, score, stated, score < self.decision.review_below)


@dataclass(frozen=True)
class Cascade(Model):
    """Two models with the same outcomes: a quick one, and a better one for the texts that the quick one is unsure of.

    Attributes:
        name: as in `paratype.load`.
        first, second: the quick one and the better one, whose decision config it shares.
        unsure_below: the second model answers where the first one's score is under this.
    """

    name: str
    first: Model
    second: Model
    unsure_below: float

    @property
    def decision(self) -> Decision:  # type: ignore[override]
        """How the second model's probabilities become labels."""
        return self.second.decision

    @property
    def chunk(self) -> int:  # type: ignore[override]
        """How many texts one thread takes at a time."""
        return 32 * self.second.chunk

    @property
    def _of_sentences(self) -> Model:
        """The quick one: it finds the sentence as well as the better one does (see `eval/evidence.py`)."""
        return self.first

    def score(self, texts: pa.Array, *, threads: int | None = None) -> Scores:
        """Return the `Scores` of an Arrow string array without nulls."""
        scores = self.first.score(texts, threads=threads)
        unsure = scores.score < self.unsure_below
        better = self.second.score(texts.filter(numpy_column(unsure)), threads=threads)
        for field in fields(Scores):
            getattr(scores, field.name)[unsure] = getattr(better, field.name)
        return scores


def in_chunks(
    function: Callable[[pa.Array], NDArray[Any]], texts: pa.Array, size: int, *, threads: int | None = None
) -> NDArray[Any]:
    """Return a function's rows for texts, taken so many at a time, on some threads (None: one for each processor)."""
    chunks = [texts.slice(start, size) for start in range(0, len(texts), size) or [0]]
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return np.concatenate(list(pool.map(function, chunks)))


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
    empty = np.from_dlpack(pc.binary_length(texts)) == 0
    spaces = np.from_dlpack(pc.utf8_is_space(texts).cast(pa.uint8())) == 1
    blank: NDArray[np.bool_] = empty | spaces
    return blank
