"""Why the word model says what it says: what each word and pair of words adds to the score of each outcome."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from paratype.model import Floats, LinearModel, Model
from paratype.ngrams import NgramIndex
from paratype.text import check_texts
from paratype.types import Prediction

__all__ = ["Explanation", "Pull", "Sum", "explain"]


@dataclass(frozen=True, slots=True)
class Pull:
    """What a word or a pair adds to a score.

    Attributes:
        feature: the word or the two words, in lower case, without accents, each digit a 0.
        kind: ``word``; ``opening``, for a word once more as one of the text's first; or ``pair``.
        count: how often it stands in the text.
        contribution: what it adds, all its occurrences together: for the outcome if positive, against it if negative.
    """

    feature: str
    kind: str
    count: int
    contribution: float


@dataclass(frozen=True, slots=True)
class Sum:
    """The score of an outcome, and what it is the sum of.

    Attributes:
        score: the intercept and all contributions added up.
        intercept: what every text starts from.
        pulls: the contributions, largest first.
    """

    score: float
    intercept: float
    pulls: tuple[Pull, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the model says of a text, and why.

    Attributes:
        prediction: what it says.
        outcomes: the score of each outcome. A blank text is ``none`` without being scored; its scores are intercepts.
    """

    prediction: Prediction
    outcomes: dict[str, Sum]


def explain(model: Model, texts: Iterable[str], *, calibrated: bool = True) -> list[Explanation]:
    """Take the scores of texts apart.

    Args:
        model: a word model.
        texts: n texts.
        calibrated: whether scores are those after calibration, which divides them by one number: their softmax is
            then `Prediction.scores`. Otherwise they are what the linear head gives.

    Returns:
        One `Explanation` per text, in order.

    Raises:
        TypeError: for a bare string, or an item that is not a string.
        ValueError: if the model's scores do not come apart by words.
    """
    checked = check_texts(texts)
    if not isinstance(model, LinearModel) or not isinstance(model.features, NgramIndex):
        raise ValueError(
            f"expected a word model, got {model.name!r}, whose scores are no sums over words; explain with the model "
            "fast, or ask for evidence, the sentence that carries the label, which any model names"
        )
    outcomes, heads = model.decision.outcomes, model.heads
    divisor = heads.temperature if calibrated else 1.0
    weights = heads.weights[:, : len(outcomes)] / divisor
    bias = heads.bias[: len(outcomes)] / divisor
    return [
        Explanation(prediction, dict(zip(outcomes, _sums(model.features, text, weights, bias), strict=True)))
        for text, prediction in zip(checked, model.label_texts(checked), strict=True)
    ]


def _sums(index: NgramIndex, text: str, weights: Floats, bias: Floats) -> list[Sum]:
    counted = index.counted(text)
    scale = 1 / np.sqrt(max(1, sum(part.kind == "word" for part in counted)))
    columns: dict[tuple[str, str], list[int]] = defaultdict(list)
    for part in counted:
        columns[part.feature, part.kind].append(part.column)
    added = {key: scale * weights[same].sum(axis=0, dtype=np.float64) for key, same in columns.items()}
    return [
        _sum(float(bias[place]), {key: float(by[place]) for key, by in added.items()}, columns)
        for place in range(len(bias))
    ]


def _sum(intercept: float, added: dict[tuple[str, str], float], columns: dict[tuple[str, str], list[int]]) -> Sum:
    pulls = [Pull(*key, len(columns[key]), contribution) for key, contribution in added.items()]
    pulls.sort(key=lambda pull: -pull.contribution)
    return Sum(intercept + sum(added.values()), intercept, tuple(pulls))
