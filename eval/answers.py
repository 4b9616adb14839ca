"""What a model said of texts, in the form in which it is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paratype import TYPES

__all__ = ["Answers", "answers_of", "joined", "with_label"]


@dataclass(frozen=True)
class Answers:
    """What a model said of n texts.

    Attributes:
        label: (n,) labels.
        stated: (n, 4) whether each of `TYPES` is among the labels, or None for a model that gives one label alone.
        confidence: (n,) probability of the label, or None for a model that gives none.
        review: (n,) whether a person should look, or None likewise.
    """

    label: NDArray[np.str_]
    stated: NDArray[np.bool_] | None
    confidence: NDArray[np.float64] | None = None
    review: NDArray[np.bool_] | None = None

    def select(self, places: Any) -> Answers:
        """Return the answers for some of the texts."""
        parts = (getattr(self, field.name) for field in fields(Answers))
        return Answers(*(None if part is None else part[places] for part in parts))


def answers_of(model: Any, texts: Sequence[str]) -> Answers:
    """Return what a `paratype.Model` says of texts."""
    from paratype.ngrams import text_array

    scores = model.score(text_array(list(texts)))
    return Answers(np.array(model.decision.outcomes)[scores.label], scores.stated, scores.score, scores.review)


def joined(parts: Sequence[Answers]) -> Answers:
    """Return the answers of one model for several lots of texts as one."""

    def join(values: list[Any]) -> Any:
        return None if values[0] is None else np.concatenate(values)

    return Answers(*(join([getattr(part, field.name) for part in parts]) for field in fields(Answers)))


def with_label(label: NDArray[np.str_], stated: NDArray[np.bool_]) -> Answers:
    """Make labels agree with label, as the models do: it is among them, and there are none for ``none``."""
    stated = stated | (label[:, None] == np.array(TYPES))
    stated[label == "none"] = False
    return Answers(label, stated)
