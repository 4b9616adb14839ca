"""Scores of predictions, with bootstrap intervals by document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from eval.answers import Answers
from eval.data import Labelled
from paratype import LABELS, TYPES

__all__ = ["Truth", "headline", "reliability", "score"]

_RESAMPLES = 1000
_BINS = 15
_SUREST = 0.6


def score(data: Labelled, answers: Answers, *, intervals: bool = True) -> dict[str, Any]:
    """Return scores: headline figures with 95 % intervals, per type, confusion, reliability, coverage.

    Intervals are percentiles of 1,000 resamples of whole documents; precision and recall have them for labels that
    are there and were said.
    """
    truth = Truth.of(data)
    result: dict[str, Any] = {"rows": len(data.texts), **headline(truth, answers)}
    documents = np.array(data.documents)
    if intervals:
        result["intervals"] = _bootstrap(truth, documents, answers)
    precision, recall, f1, support = precision_recall_fscore_support(
        truth.label, answers.label, labels=list(LABELS), zero_division=0
    )
    result["per_label"] = {
        name: {"precision": float(p), "recall": float(r), "f1": float(f), "rows": int(n)}
        for name, p, r, f, n in zip(LABELS, precision, recall, f1, support, strict=True)
    }
    if intervals:
        for name, edges in _label_intervals(truth.label, answers.label, documents).items():
            result["per_label"][name]["intervals"] = edges
    result["confusion"] = confusion_matrix(truth.label, answers.label, labels=list(LABELS)).tolist()
    right = truth.label == answers.label
    if answers.confidence is not None:
        result["reliability"] = reliability(answers.confidence, right)
        result["coverage"] = _coverage(answers.confidence, right)
    if answers.review is not None:
        result["review"] = {
            "share": float(answers.review.mean()),
            "accuracy_of_flagged": _mean(right[answers.review]),
            "accuracy_of_others": _mean(right[~answers.review]),
        }
    return result


def _mean(values: NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None


@dataclass(frozen=True)
class Truth:
    """The labels (n,) and, of each of `TYPES`, whether it is stated (n, 4)."""

    label: NDArray[np.str_]
    stated: NDArray[np.bool_]

    @classmethod
    def of(cls, data: Labelled) -> Truth:
        """Return those of some labelled texts."""
        stated = np.array([[name in labels for name in TYPES] for labels in data.labels]).reshape(-1, len(TYPES))
        return cls(np.array(data.label), stated)

    def select(self, places: Any) -> Truth:
        """Return those of some of the texts."""
        return Truth(self.label[places], self.stated[places])


def headline(truth: Truth, answers: Answers) -> dict[str, float]:
    """Return the scores that stand in the tables."""
    right = truth.label == answers.label
    one_hot = [np.array([labels == name for name in TYPES]).T for labels in (truth.label, answers.label)]
    figures = {"accuracy": float(right.mean()), "macro_f1": _macro_f1(*one_hot)}
    if answers.stated is not None:
        figures["labels_macro_f1"] = _macro_f1(truth.stated, answers.stated)
    if answers.confidence is not None:
        figures["calibration_error"] = _calibration_error(answers.confidence, right)
        figures["accuracy_of_surest"] = _accuracy_of_surest(answers.confidence, right)
    return figures


def _macro_f1(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> float:
    """Mean F1 of the columns that occur in the truth; the whole files here have all of them, small parts have not."""
    both, total = (truth & said).sum(axis=0), truth.sum(axis=0) + said.sum(axis=0)
    occurs = truth.any(axis=0)
    return float(np.mean((2 * both / np.maximum(total, 1))[occurs])) if occurs.any() else 0.0


def _calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error over 15 bins of equal width (Guo et al., ICML 2017)."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, right - confidence, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(right))


def _accuracy_of_surest(confidence: NDArray[np.float64], right: NDArray[np.bool_], share: float = _SUREST) -> float:
    surest = np.argsort(-confidence, kind="stable")[: max(1, round(share * len(right)))]
    return float(right[surest].mean())


def _bootstrap(truth: Truth, documents: NDArray[np.str_], answers: Answers) -> dict[str, list[float]]:
    rng = np.random.default_rng(0)
    names, codes = np.unique(documents, return_inverse=True)
    members = [np.flatnonzero(codes == code) for code in range(len(names))]
    draws = []
    for _ in range(_RESAMPLES):
        places = np.concatenate([members[code] for code in rng.integers(len(names), size=len(names))])
        draws.append(headline(truth.select(places), answers.select(places)))
    return {
        key: [float(edge) for edge in np.percentile([draw[key] for draw in draws], [2.5, 97.5])] for key in draws[0]
    }


def _label_intervals(
    truth: NDArray[np.str_], said: NDArray[np.str_], documents: NDArray[np.str_]
) -> dict[str, dict[str, list[float]]]:
    """Return the 95 % intervals of precision and recall of each label that occurs in the truth.

    Resamples in which a figure has no value, since the label was never said or is not there, do not count.
    """
    names, codes = np.unique(documents, return_inverse=True)
    places = {name: place for place, name in enumerate(LABELS)}
    counts = np.zeros((len(names), len(LABELS), len(LABELS)))
    np.add.at(counts, (codes, [places[name] for name in truth], [places[name] for name in said]), 1)
    chosen = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), size=_RESAMPLES)
    confusion = np.tensordot(chosen, counts, axes=1)
    right = np.diagonal(confusion, axis1=1, axis2=2)
    figures = {"precision": (right, confusion.sum(axis=1)), "recall": (right, confusion.sum(axis=2))}
    return {
        name: {key: _edges(of[:, place], total[:, place]) for key, (of, total) in figures.items()}
        for name, place in places.items()
        if name in truth and name in said
    }


def _edges(right: NDArray[np.float64], total: NDArray[np.float64]) -> list[float]:
    occurs = total > 0
    return [float(edge) for edge in np.percentile(right[occurs] / total[occurs], [2.5, 97.5])]


def reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[dict[str, float]]:
    """Return mean confidence and accuracy of each tenth of the texts, by rising confidence."""
    parts = np.array_split(np.argsort(confidence, kind="stable"), 10)
    return [
        {"confidence": float(confidence[part].mean()), "accuracy": float(right[part].mean()), "rows": len(part)}
        for part in parts
        if len(part)
    ]


def _coverage(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[dict[str, float]]:
    """Return the accuracy on the surest tenth, two tenths, and so on."""
    shares = [tenths / 10 for tenths in range(1, 11)]
    return [{"share": share, "accuracy": _accuracy_of_surest(confidence, right, share)} for share in shares]
