"""How the shipped models are made from the corpus: the one place with their settings."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from paratype import LABELS, TYPES
from paratype.classifier import ParagraphClassifier
from paratype.features import EncoderFeatures, NgramFeatures
from paratype.model import Model
from paratype.ngrams import text_array
from training.corpus import CORRECTED, Row

__all__ = [
    "ARTIFACTS",
    "CORRECTED_WEIGHT",
    "RECOMBINED",
    "UNSURE_BELOW",
    "fit_accurate",
    "fit_fast",
    "is_for_calibration",
    "recombined",
    "weight_of",
]

ARTIFACTS = Path(__file__).parents[1] / "artifacts"

UNSURE_BELOW = 0.9
"""The cascade `auto` asks the accurate model where the fast one's score is under this."""

CORRECTED_WEIGHT = 5.0
"""How many corpus rows one of the user's own counts for: it is of the kind of text that the model will meet."""

RECOMBINED = 3
"""How many texts the teacher labels for each row."""

# How much each of them counts beside a row that readers labelled.
_RECOMBINED_WEIGHT = 0.5
_SENTENCE = re.compile(r"(?<=[.!?]) +(?=[\"“(]?[A-Z0-9])")


def fit_accurate(rows: Sequence[Row], folder: Path, features: EncoderFeatures | None = None) -> ParagraphClassifier:
    """Fit heads on the vectors of the encoder in a folder; rows set aside for calibration never met that encoder.

    ``features`` are the encoder's, if they are not made here.
    """
    classifier = ParagraphClassifier(features or EncoderFeatures(folder), C=0.05, calibration_smoothing=0.05)
    return classifier.fit(
        [row.text for row in rows],
        [row.label for row in rows],
        [weight_of(row) for row in rows],
        labels=[row.labels for row in rows],
        calibration=[is_for_calibration(row) for row in rows],
    )


def fit_fast(
    rows: Sequence[Row], teacher: Model | None = None, *, recombined_per_row: int = RECOMBINED
) -> ParagraphClassifier:
    """Fit the word model on the rows; with a teacher, also on its probabilities for recombined text."""
    aside = np.array([is_for_calibration(row) for row in rows])
    texts = [row.text for row in rows]
    outcomes = np.array([[float(row.label == name) for name in LABELS] for row in rows])
    states = np.array([[float(name in row.labels) for name in TYPES] for row in rows])
    weight = np.array([weight_of(row) for row in rows])
    if teacher is not None:
        met = [row for row, out in zip(rows, aside, strict=True) if not out]
        unlabelled = recombined(met, recombined_per_row * len(met))
        taught = teacher.score(text_array(unlabelled))
        texts += unlabelled
        outcomes = np.concatenate([outcomes, taught.outcomes])
        states = np.concatenate([states, taught.states])
        weight = np.concatenate([weight, np.full(len(unlabelled), _RECOMBINED_WEIGHT)])
        aside = np.concatenate([aside, np.zeros(len(unlabelled), dtype=bool)])
    classifier = ParagraphClassifier(NgramFeatures(), C=3.0, calibration_smoothing=0.08)
    return classifier.fit(texts, outcomes, weight, labels=states, calibration=aside)


def is_for_calibration(row: Row) -> bool:
    """Whether a row is set aside: about every eighth group of the authored rows, by a hash of its name."""
    return row.origin == "authored" and int(row.group[-6:], 16) % 8 == 0


def weight_of(row: Row) -> float:
    """Return how much a row counts in training."""
    return CORRECTED_WEIGHT if row.origin == CORRECTED else 1.0


def recombined(rows: Sequence[Row], count: int, *, seed: int = 0) -> list[str]:
    """Return texts put together from runs of sentences of different rows: unlabelled text for a teacher to label."""
    rng = random.Random(seed)
    cut = [_SENTENCE.split(row.text) for row in rows]
    return [" ".join(_run(rng, cut) for _ in range(rng.choice((1, 1, 2, 2, 3)))) for _ in range(count)]


def _run(rng: random.Random, cut: Sequence[Sequence[str]]) -> str:
    sentences = rng.choice(cut)
    start = rng.randrange(len(sentences))
    return " ".join(sentences[start : start + rng.choice((1, 1, 2, 3))])
