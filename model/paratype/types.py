"""The words every other module speaks: labels, predictions, and the errors a user may meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

__all__ = ["DEFAULT_MODEL", "LABELS", "TYPES", "Evidence", "Label", "ModelRefused", "Prediction"]


class Label(str, Enum):
    """What a paragraph does. Members are strings: ``Label.ANALYSIS == "analysis"``."""

    ANALYSIS = "analysis"
    ATTACK_REPORT = "attack_report"
    CASUALTY_FIGURE = "casualty_figure"
    NONE = "none"
    THREAT_STATEMENT = "threat_statement"

    # enum.StrEnum does this, from Python 3.11 on.
    __str__ = str.__str__
    __format__ = str.__format__  # type: ignore[assignment]


DEFAULT_MODEL = "accurate"
"""The shipped model that is used when none is named."""

LABELS: tuple[str, ...] = tuple(label.value for label in Label)
"""The five outcomes, sorted, which is scikit-learn's order for the columns of a probability array."""

TYPES: tuple[str, ...] = tuple(label for label in LABELS if label != Label.NONE)
"""The four paragraph types: the outcomes without ``none``, in the same order."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sentence that carries a paragraph's label.

    Attributes:
        text: the sentence.
        start, end: character offsets into the paragraph's text, of which it is ``[start:end]``.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one paragraph.

    Labels are strings, and equal to the members of `Label`; a model trained on further types may give others.

    Attributes:
        label: the one type that is the paragraph's point, or ``none``.
        score: calibrated probability of ``label``, 0 to 1.
        labels: every type that the paragraph states, in the model's order; holds ``label`` unless that is
            ``none``, and is empty if it is.
        scores: calibrated probability of each outcome being ``label``; they add up to 1.
        states: calibrated probability, one type at a time, that the paragraph states it; ``labels`` are the
            types at or over the model's thresholds.
        review: whether ``score`` is under the model's review cut, so that a person should look.
        evidence: the sentence that carries ``label``, if it was asked for; None for ``none``.
    """

    label: str
    score: float
    labels: tuple[str, ...]
    scores: Mapping[str, float]
    states: Mapping[str, float]
    review: bool
    evidence: Evidence | None = None


class ModelRefused(ValueError):
    """A model folder was not opened: its files are not what a Paratype model's files must be."""
