"""What the cascade gains in speed and loses in accuracy, for any cut between its two models."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from eval.answers import Answers
from eval.data import Labelled
from eval.metrics import score
from paratype.model import Cascade
from paratype.ngrams import text_array

__all__ = ["trade_off"]

_CUTS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.01)


def trade_off(cascade: Cascade, data: Labelled) -> list[dict[str, float]]:
    """Return, for each cut, the share of rows that the second model answers, scores, and paragraphs a second."""
    return [_at(replace(cascade, unsure_below=cut), data) for cut in sorted({*_CUTS, cascade.unsure_below})]


def _at(cascade: Cascade, data: Labelled) -> dict[str, Any]:
    texts = text_array(list(data.texts))
    passed_on = float((cascade.first.score(texts).score < cascade.unsure_below).mean())
    start = time.perf_counter()
    scores = cascade.score(texts)
    seconds = time.perf_counter() - start
    answers = Answers(np.array(cascade.decision.outcomes)[scores.label], scores.stated, scores.score, scores.review)
    result = score(data, answers, intervals=False)
    return {
        "unsure_below": cascade.unsure_below,
        "passed_on": passed_on,
        "accuracy": result["accuracy"],
        "macro_f1": result["macro_f1"],
        "paragraphs_per_second": len(texts) / seconds,
    }
