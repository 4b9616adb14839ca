"""Learning curves: what more rows are worth."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from eval.answers import answers_of
from eval.data import Part, load_labelled
from eval.metrics import score
from paratype.classifier import ParagraphClassifier
from training.corpus import Row
from training.recipes import ARTIFACTS, fit_accurate, fit_fast

__all__ = ["SHARES", "learning_curve"]

SHARES = (1 / 128, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
"""Parts of the authored rows to train on; each holds the one before."""


def learning_curve(rows: Sequence[Row], data: Path, *, encoder: bool) -> Iterator[dict[str, Any]]:
    """Train on growing parts of the authored rows and yield the scores on the held-out part of a labelled file.

    Args:
        rows: the corpus.
        data: a labelled file.
        encoder: also fine-tune the encoder on each part, which needs the ``encoder`` extra and an hour.

    The word model learns from labels alone here, without a teacher. The encoder for all rows is the shipped one.
    """
    authored = [row for row in rows if row.origin == "authored"]
    random.Random(0).shuffle(authored)
    held_out = load_labelled(data, Part.held_out)
    fits: dict[str, Callable[[Sequence[Row]], ParagraphClassifier]] = {"fast": fit_fast}
    if encoder:
        fits["accurate"] = _fine_tune_and_fit
    for share in SHARES:
        part = authored[: round(share * len(authored))]
        for name, fit in fits.items():
            if name == "accurate" and share == 1:
                fit = _fit_on_shipped_encoder
            scores = score(held_out, answers_of(fit(part).model_, held_out.texts), intervals=False)
            yield {"model": name, "rows": len(part), "accuracy": scores["accuracy"], "macro_f1": scores["macro_f1"]}


def _fine_tune_and_fit(rows: Sequence[Row]) -> ParagraphClassifier:
    from training.train import train_encoder

    with tempfile.TemporaryDirectory() as scratch:
        train_encoder(rows, artifacts=Path(scratch), log=lambda message: None)
        return fit_accurate(rows, Path(scratch) / "accurate")


def _fit_on_shipped_encoder(rows: Sequence[Row]) -> ParagraphClassifier:
    return fit_accurate(rows, ARTIFACTS / "accurate")
