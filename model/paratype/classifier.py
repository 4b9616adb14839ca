"""`ParagraphClassifier`, the scikit-learn estimator that trains a `Model`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils.validation import check_is_fitted

from paratype.artifact import load_folder, save_folder
from paratype.features import NgramFeatures
from paratype.model import Decision, Heads, LinearModel, Model
from paratype.text import check_texts
from paratype.types import LABELS, Label, Prediction

__all__ = ["ParagraphClassifier"]

Array = NDArray[Any]

# A soft target under this is taken for zero: it would add a training row that changes nothing.
_LEAST_TARGET = 0.02
# With fewer rows than this per outcome, nothing is set aside for calibration.
_LEAST_ROWS = 20
# A temperature under 0.5 or over 20 says that the rows set aside are too few or too easy to tell.
_TEMPERATURES = (0.5, 20.0)
# The logit of an outcome that no training row has.
_NEVER = -10.0


class ParagraphClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Features, logistic-regression heads, calibration and decision, fitted together.

    One head tells the outcomes apart (``label``); one binary head per type says whether a paragraph states it
    (``labels``). A part of the rows is set aside: it trains neither features nor heads, and fits the temperature
    of the outcome head [1]_ and a logistic calibration of each type head [2]_.

    Args:
        features: a transformer from `paratype.features`; None for ``NgramFeatures()``.
        C: inverse strength of the heads' regularisation.
        calibration_share: share of the rows to set aside, whole groups at a time: 1/2 at most, rounded to 1/k; 0 for
            no calibration. Fewer than 20 rows per outcome are not calibrated either.
        calibration_smoothing: share of labels that calibration takes for wrong, spread evenly over the others: 0 for
            use on text like the training text, more the stranger the text it will meet.
        threshold: probability from which on a paragraph is said to state a type.
        review_below: calibrated score under which a person should look.
        random_state: seed of the draw of the rows set aside.

    Attributes:
        classes_: the outcomes, sorted.
        model_: the fitted `paratype.model.Model`.

    References:
        .. [1] Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
        .. [2] Platt, Probabilistic Outputs for Support Vector Machines, 1999.
    """

    def __init__(
        self,
        features: Any = None,
        *,
        C: float = 1.0,
        calibration_share: float = 0.15,
        calibration_smoothing: float = 0.0,
        threshold: float = 0.5,
        review_below: float = 0.6,
        random_state: int = 0,
    ) -> None:
        self.features = features
        self.C = C
        self.calibration_share = calibration_share
        self.calibration_smoothing = calibration_smoothing
        self.threshold = threshold
        self.review_below = review_below
        self.random_state = random_state

    def fit(
        self,
        X: Iterable[str],
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        labels: Sequence[Iterable[str]] | ArrayLike | None = None,
        groups: ArrayLike | None = None,
        calibration: ArrayLike | None = None,
    ) -> ParagraphClassifier:
        """Train on texts.

        Args:
            X: n texts.
            y: n labels; or an array (n, 5) of probabilities of `paratype.types.LABELS`, to learn from a teacher.
            sample_weight: n weights; they count for the heads, not for vocabulary or calibration.
            labels: for each text the types that it states; or an array (n, types) of probabilities. None: just ``y``.
            groups: rows of one group are set aside together or not at all.
            calibration: n booleans that say which rows to set aside, in place of a draw.

        Raises:
            TypeError: for texts that are not strings.
            ValueError: for lengths that differ, fewer than two outcomes, or a label outside the outcomes.
        """
        texts = check_texts(X)
        outcomes, targets = _outcome_targets(y)
        if len(outcomes) < 2:
            raise ValueError(f"expected at least two different labels in y, got {list(outcomes)}")
        types = tuple(outcome for outcome in outcomes if outcome != Label.NONE)
        stated = _type_targets(labels, types, outcomes, targets)
        weight = np.ones(len(texts)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        aside = self._set_aside(targets, groups, calibration)
        for name, values in {"y": targets, "labels": stated, "sample_weight": weight, "calibration": aside}.items():
            if len(values) != len(texts):
                raise ValueError(f"expected one of {name} per text: {len(texts)} texts, {len(values)} in {name}")
        if aside.all():
            raise ValueError(f"expected some rows to train on, but all {len(texts)} are set aside for calibration")

        train = [text for text, out in zip(texts, aside, strict=True) if not out]
        self.features_ = clone(NgramFeatures() if self.features is None else self.features).fit(train)
        matrix = self.features_.transform(train)
        heads = [self._fit_head(matrix, targets[~aside], weight[~aside])] + [
            self._fit_head(matrix, np.stack([1 - column, column], axis=1), weight[~aside])
            for column in stated[~aside].T
        ]
        weights, bias = _join_heads(heads)

        rest = [text for text, out in zip(texts, aside, strict=True) if out]
        logits = self.features_.transform(rest) @ weights + bias if rest else np.zeros((0, len(bias)))
        self.model_ = self._calibrated(weights, bias, logits, outcomes, targets[aside], stated[aside])
        self.classes_ = np.array(outcomes)
        return self

    def _set_aside(self, targets: Array, groups: ArrayLike | None, calibration: ArrayLike | None) -> Array:
        if calibration is not None:
            return np.asarray(calibration, dtype=bool)
        n = len(targets)
        aside = np.zeros(n, dtype=bool)
        hard = targets.argmax(axis=1)
        if self.calibration_share <= 0 or n < _LEAST_ROWS * targets.shape[1]:
            return aside
        folds = StratifiedGroupKFold(round(1 / self.calibration_share), shuffle=True, random_state=self.random_state)
        with warnings.catch_warnings():  # rare outcomes that a fold takes whole are put back below
            warnings.simplefilter("ignore", UserWarning)
            _, rows = next(folds.split(np.zeros(n), hard, np.arange(n) if groups is None else groups))
        aside[rows] = True
        missing = np.setdiff1d(hard, hard[~aside])
        aside[np.isin(hard, missing)] = False
        return aside

    def _fit_head(self, matrix: Any, targets: Array, weight: Array) -> tuple[Array, Array]:
        """Return weights (features, columns) and bias of one head; soft targets count as weighted rows."""
        rows, columns = np.nonzero(targets > _LEAST_TARGET)
        head = LogisticRegression(C=self.C, max_iter=2000, tol=1e-4)
        weights, bias = np.zeros((matrix.shape[1], targets.shape[1])), np.full(targets.shape[1], _NEVER)
        present = np.unique(columns)
        bias[present] = 0.0
        if len(present) > 1:
            head.fit(matrix[rows], columns, sample_weight=weight[rows] * targets[rows, columns])
            fitted = present if len(present) > 2 else present[1:]  # of two classes, scikit-learn fits the second
            weights[:, fitted], bias[fitted] = head.coef_.T, head.intercept_
        return weights, bias

    def _calibrated(
        self,
        weights: Array,
        bias: Array,
        logits: Array,
        outcomes: tuple[str, ...],
        targets: Array,
        stated: Array,
    ) -> Model:
        k, t = len(outcomes), stated.shape[1]
        temperature, slope, offset = 1.0, np.ones(t), np.zeros(t)
        if len(logits):
            smoothing = self.calibration_smoothing
            temperature = _temperature(logits[:, :k], targets * (1 - smoothing) + smoothing / k)
            pairs = [_platt(logits[:, k + i], stated[:, i] >= 0.5, smoothing / 2) for i in range(t)]
            slope, offset = np.array(pairs).T
        features, folded = self.features_.fold(weights)
        heads = Heads(folded, bias.astype(np.float32), temperature, slope, offset)
        return LinearModel("", features, heads, Decision(outcomes, (self.threshold,) * t, self.review_below))

    def predict(self, X: Iterable[str]) -> NDArray[np.str_]:
        """Return the label of each text."""
        return self._fitted().predict(X)

    def predict_proba(self, X: Iterable[str]) -> Array:
        """Return calibrated probabilities, shape (texts, classes), columns as ``classes_``."""
        return self._fitted().predict_proba(X)

    def label_texts(self, X: Iterable[str], *, evidence: bool = False) -> list[Prediction]:
        """Return one `Prediction` per text; with the `paratype.types.Evidence` if asked for."""
        return self._fitted().label_texts(X, evidence=evidence)

    def save(self, folder: str | Path) -> None:
        """Save the fitted model; see `paratype.artifact.save_folder`."""
        save_folder(self._fitted(), folder)

    @classmethod
    def from_artifact(cls, folder: str | Path) -> ParagraphClassifier:
        """Return an estimator that predicts with a saved model, ready to be scored or wrapped.

        A saved model does not keep the settings it was trained with: `fit` trains from scratch with the defaults.
        """
        classifier = cls()
        classifier.model_ = load_folder(folder)
        classifier.classes_ = np.array(classifier.model_.decision.outcomes)
        return classifier

    def _fitted(self) -> Model:
        check_is_fitted(self, "model_")
        model: Model = self.model_
        return model

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _outcome_targets(y: ArrayLike) -> tuple[tuple[str, ...], Array]:
    given = np.asarray(y)
    if given.ndim == 2:
        if given.shape[1] != len(LABELS):
            raise ValueError(f"expected {len(LABELS)} columns of probabilities in y, got {given.shape[1]}")
        return LABELS, given.astype(float)
    outcomes, codes = np.unique([str(label) for label in given], return_inverse=True)
    return tuple(outcomes.tolist()), np.eye(len(outcomes))[codes]


def _type_targets(labels: Any, types: tuple[str, ...], outcomes: tuple[str, ...], targets: Array) -> Array:
    if labels is None:
        return targets[:, [outcome in types for outcome in outcomes]]
    if isinstance(labels, np.ndarray) and labels.ndim == 2:
        if labels.shape[1] != len(types):
            raise ValueError(
                f"expected one column of probabilities in labels for each of {types}, got {labels.shape[1]}"
            )
        return labels.astype(float)
    rows = [{str(label) for label in row} for row in labels]
    unknown = sorted(set().union(*rows) - set(types))
    if unknown:
        raise ValueError(f"expected labels among the types in y, {list(types)}; got {unknown}")
    return np.array([[name in row for name in types] for row in rows], dtype=float)


def _join_heads(heads: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Put the outcome head's columns first, then of each type's binary head the column for yes."""
    (weights, bias), *types = heads
    joined = np.concatenate([weights] + [w[:, 1:] - w[:, :1] for w, _ in types], axis=1)
    return joined, np.concatenate([bias] + [b[1:] - b[:1] for _, b in types])


def _temperature(logits: Array, targets: Array) -> float:
    def loss(log_temperature: float) -> float:
        return float(-(targets * log_softmax(logits / np.exp(log_temperature), axis=1)).sum())

    return float(np.exp(_minimum(loss)))


def _minimum(loss: Callable[[float], float]) -> float:
    return float(minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded").x)


def _platt(logit: Array, truth: Array, wrong: float) -> tuple[float, float]:
    """Fit slope and offset; each row counts for its own side, and by the share ``wrong`` for the other.

    As Platt has it, the share is at least about 1 in as many rows as there are.
    """
    if truth.all() or not truth.any():
        return 1.0, 0.0
    n = len(truth)
    wrong = max(wrong, 1 / (n + 2))
    weight = np.repeat([1 - wrong, wrong], n)
    fitted = LogisticRegression(C=1e6).fit(np.tile(logit, 2)[:, None], np.concatenate([truth, ~truth]), weight)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
