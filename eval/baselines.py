"""What stands beside the models: the majority class, keyword rules, and scikit-learn's TF-IDF + linear SVM."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval.answers import Answers, with_label
from paratype import TYPES
from training.corpus import Row

__all__ = ["BASELINES", "Baseline", "Svm", "always", "keywords", "most_frequent"]

Baseline = Callable[[Sequence[Row], Sequence[str]], Answers]
"""Takes rows to train on and texts to answer for."""


def majority(rows: Sequence[Row], texts: Sequence[str]) -> Answers:
    """Always say what is most frequent among the rows."""
    return always(most_frequent(rows), texts)


def most_frequent(rows: Sequence[Row]) -> str:
    """Return the most frequent label."""
    return Counter(row.label for row in rows).most_common(1)[0][0]


def always(label: str, texts: Sequence[str]) -> Answers:
    """Say one label of all texts."""
    return with_label(np.full(len(texts), label), np.zeros((len(texts), len(TYPES)), dtype=bool))


_COUNT = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|dozens?|scores|several|hundreds)"
_KEYWORDS = {
    "casualty_figure": rf"\b{_COUNT}\b[^.]{{0,60}}"
    r"\b(?:killed|dead|died|wounded|injured|missing|displaced|casualties)\b",
    "threat_statement": r"\b(?:threaten(?:s|ed)?|threats?|vow(?:s|ed)?|warn(?:s|ed)|ultimatum|revenge|retaliat\w+)\b",
    "attack_report": r"\b(?:attack(?:s|ed)?|bomb(?:s|ed|ing|ings)?|explo\w+|shot|fired|shell(?:ed|ing)|raid(?:s|ed)?"
    r"|ambush\w*|strikes?|struck|clash\w*|kidnap\w*|abduct\w*|assassinat\w*|murder\w*|rockets?|drones?)\b",
    "analysis": r"\b(?:war|army|military|troops|militia\w*|guerrillas?|rebels?|terroris\w+|security|cartels?|gangs?"
    r"|traffick\w+|violence|peace|police|armed|weapons?|forces)\b",
}


def keywords(rows: Sequence[Row], texts: Sequence[str]) -> Answers:
    """State each type whose words occur; the label is the first of toll, threat, attack, analysis."""
    stated = {
        name: np.array([bool(re.search(pattern, text, re.IGNORECASE)) for text in texts], dtype=bool)
        for name, pattern in _KEYWORDS.items()
    }
    label = np.select(list(stated.values()), list(stated), default="none")
    return Answers(label, np.stack([stated[name] for name in TYPES], axis=1))


@dataclass(frozen=True)
class Svm:
    """TF-IDF with linear support vector machines: one of five for the label, four of two for the types stated."""

    vectorizer: Any
    of_label: Any
    of_types: Any

    @classmethod
    def fit(cls, rows: Sequence[Row], *, C: float = 1.0) -> Svm:
        """Fit on words and word pairs, sublinear TF-IDF, as scikit-learn's guide advises."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.svm import LinearSVC

        vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        matrix = vectorizer.fit_transform([row.text for row in rows])
        states = np.array([[name in row.labels for name in TYPES] for row in rows], dtype=int)
        of_label = LinearSVC(C=C).fit(matrix, [row.label for row in rows])
        return cls(vectorizer, of_label, OneVsRestClassifier(LinearSVC(C=C)).fit(matrix, states))

    def answers(self, texts: Sequence[str]) -> Answers:
        """Say what it makes of texts."""
        matrix = self.vectorizer.transform(texts)
        return with_label(self.of_label.predict(matrix), self.of_types.predict(matrix).astype(bool))


def tfidf_svm(rows: Sequence[Row], texts: Sequence[str]) -> Answers:
    """Fit an `Svm` on the rows, and ask it."""
    return Svm.fit(rows).answers(texts)


BASELINES: dict[str, Baseline] = {
    "majority class": majority,
    "keyword rules": keywords,
    "TF-IDF + linear SVM": tfidf_svm,
}
"""The baselines by name, weakest first."""
