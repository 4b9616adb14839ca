"""What stands beside the models: the majority class, keyword rules, and scikit-learn's TF-IDF + linear SVM."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from eval.metrics import Answers
from paratype import TYPES
from training.corpus import Row

__all__ = ["BASELINES", "Baseline"]

Baseline = Callable[[Sequence[Row], Sequence[str]], Answers]
"""Takes rows to train on and texts to answer for."""


def majority(rows: Sequence[Row], texts: Sequence[str]) -> Answers:
    """Always say what is most frequent among the rows."""
    label = Counter(row.label for row in rows).most_common(1)[0][0]
    return _with_label(np.full(len(texts), label), np.zeros((len(texts), len(TYPES)), dtype=bool))


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


def tfidf_svm(rows: Sequence[Row], texts: Sequence[str]) -> Answers:
    """Words and word pairs, sublinear TF-IDF, and linear support vector machines, as scikit-learn's guide advises."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    train, test = vectorizer.fit_transform([row.text for row in rows]), vectorizer.transform(texts)
    label = LinearSVC().fit(train, [row.label for row in rows]).predict(test)
    targets = np.array([[name in row.labels for name in TYPES] for row in rows], dtype=int)
    stated = OneVsRestClassifier(LinearSVC()).fit(train, targets).predict(test).astype(bool)
    return _with_label(label, stated)


def _with_label(label: np.ndarray, stated: np.ndarray) -> Answers:
    """Make labels agree with label, as the models do: it is among them, and there are none for ``none``."""
    stated = stated | (label[:, None] == np.array(TYPES))
    stated[label == "none"] = False
    return Answers(label, stated)


BASELINES: dict[str, Baseline] = {
    "majority class": majority,
    "keyword rules": keywords,
    "TF-IDF + linear SVM": tfidf_svm,
}
"""The baselines by name, weakest first."""
