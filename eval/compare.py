"""Two models on the same rows: what changed, and whether it could be chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.answers import Answers
from eval.data import Labelled
from eval.metrics import Truth, headline
from paratype import LABELS

__all__ = ["compare"]

_RESAMPLES = 1000


def compare(data: Labelled, before: Answers, after: Answers) -> dict[str, Any]:
    """Return scores of two models' answers, and their differences with 95 % intervals.

    Intervals are percentiles of 1,000 resamples of whole documents, the same documents for both models: they tell
    whether one is better on text like this, not how good each is.

    Returns:
        ``rows``, ``documents``, and ``scores``: for each score its values ``before`` and ``after``, ``difference``, and
        ``interval``; the F1 of a label carries in ``rows`` how many paragraphs have the label. ``changed`` counts the
        paragraphs whose label differs: ``mended``, ``broken``, and ``other`` for those that are wrong both times.
    """
    names, codes = np.unique(data.documents, return_inverse=True)
    members = [np.flatnonzero(codes == code) for code in range(len(names))]
    rng = np.random.default_rng(0)
    truth = Truth.of(data)
    figures = [_figures(truth, answers) for answers in (before, after)]
    draws = []
    for _ in range(_RESAMPLES):
        places = np.concatenate([members[code] for code in rng.integers(len(names), size=len(names))])
        one, other = (_figures(truth.select(places), answers.select(places)) for answers in (before, after))
        draws.append([other.get(key, np.nan) - one.get(key, np.nan) for key in figures[0]])
    edges = np.nanpercentile(draws, [2.5, 97.5], axis=0).T.tolist()
    scores = {
        key: {"before": figures[0][key], "after": figures[1][key], "difference": figures[1][key] - figures[0][key]}
        | {"interval": interval}
        for key, interval in zip(figures[0], edges, strict=True)
    }
    for name in set(LABELS) & set(scores):
        scores[name]["rows"] = data.label.count(name)
    return {
        "rows": len(data.texts),
        "documents": len(names),
        "scores": scores,
        "changed": _changed(np.array(data.label), before.label, after.label),
    }


def _figures(truth: Truth, answers: Answers) -> dict[str, float]:
    """Return headline scores, and the F1 of each label that there is."""
    figures = headline(truth, answers)
    for name in LABELS:
        has, said = truth.label == name, answers.label == name
        if has.any():
            figures[name] = float(2 * (has & said).sum() / (has.sum() + said.sum()))
    return figures


def _changed(truth: NDArray[np.str_], before: NDArray[np.str_], after: NDArray[np.str_]) -> dict[str, int]:
    was, now = before == truth, after == truth
    return {
        "mended": int((now & ~was).sum()),
        "broken": int((was & ~now).sum()),
        "other": int((~was & ~now & (before != after)).sum()),
    }
