"""Peers that look at words: the baselines, fastText, Vowpal Wabbit, spaCy's bag of words."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from eval.answers import Answers
from eval.baselines import Svm, always, keywords, most_frequent
from eval.contenders import vw_lines
from eval.peers.peer import Answerer, Peer, most_probable
from paratype import LABELS
from training.corpus import Row

__all__ = ["WORDS"]


def _fit_majority(rows: Sequence[Row], folder: Path) -> None:
    (folder / "label").write_text(most_frequent(rows), "utf-8")


def _load_majority(folder: Path) -> Answerer:
    return partial(always, (folder / "label").read_text("utf-8"))


def _fit_nothing(rows: Sequence[Row], folder: Path) -> None:
    """Rules learn nothing."""


def _load_keywords(folder: Path) -> Answerer:
    return partial(keywords, ())


def _fit_svm(rows: Sequence[Row], folder: Path, **setting: Any) -> None:
    import joblib

    joblib.dump(Svm.fit(rows, **setting), folder / "svm.joblib")


def _load_svm(folder: Path) -> Answerer:
    import joblib

    svm: Svm = joblib.load(folder / "svm.joblib")
    return svm.answers


_PUNCTUATION = re.compile(r"([.!?,'/()])")


def _folded(text: str) -> str:
    """Set punctuation apart and lower letters, as fastText's tutorial does."""
    return " ".join(_PUNCTUATION.sub(r" \1 ", text).lower().split())


def _shuffled(rows: Sequence[Row]) -> list[Row]:
    """What learns as it reads must not meet rows of one label together."""
    return random.Random(0).sample(list(rows), len(rows))


def _fit_fasttext(rows: Sequence[Row], folder: Path, **setting: Any) -> None:
    import fasttext

    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "train.txt"
        file.write_text("".join(f"__label__{row.label} {_folded(row.text)}\n" for row in _shuffled(rows)), "utf-8")
        # One thread: with more, each run gives another model.
        model = fasttext.train_supervised(
            str(file), wordNgrams=2, bucket=200_000, dim=50, thread=1, seed=0, verbose=0, **setting
        )
    model.save_model(str(folder / "model.bin"))


def _load_fasttext(folder: Path) -> Answerer:
    import fasttext

    model = fasttext.load_model(str(folder / "model.bin"))

    def answer(texts: Sequence[str]) -> Answers:
        labels, probabilities = model.predict([_folded(text) for text in texts])
        names = [found[0].removeprefix("__label__") if found else "none" for found in labels]
        return Answers(np.array(names), None, np.array([found[0] if len(found) else 0.0 for found in probabilities]))

    return answer


def _fit_vw(rows: Sequence[Row], folder: Path, **setting: Any) -> None:
    from vowpalwabbit import Workspace

    options = f"--oaa {len(LABELS)} --loss_function logistic --probabilities --ngram 2 --skips 4 --bit_precision 22"
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "rows"
        rows = _shuffled(rows)
        lines = vw_lines([_folded(row.text) for row in rows])
        labels = [LABELS.index(row.label) + 1 for row in rows]
        data.write_text("".join(f"{label} {line}\n" for label, line in zip(labels, lines, strict=True)), "utf-8")
        run = f"--data {data} --cache_file {data}.cache --final_regressor {folder / 'model.vw'} --quiet"
        Workspace(f"{options} {run} " + " ".join(f"--{name} {value}" for name, value in setting.items())).finish()


def _load_vw(folder: Path) -> Answerer:
    from vowpalwabbit import Workspace

    model = Workspace(f"--testonly --initial_regressor {folder / 'model.vw'} --probabilities --quiet")
    return lambda texts: most_probable(
        np.array([model.predict(line) for line in vw_lines([_folded(text) for text in texts])])
    )


WORDS = (
    Peer("majority class", _fit_majority, _load_majority, note="Says the most frequent label of all."),
    Peer("keyword rules", _fit_nothing, _load_keywords, note="Regular expressions written by hand, tuned on nothing."),
    Peer(
        "TF-IDF + linear SVM",
        _fit_svm,
        _load_svm,
        settings=({"C": 0.1}, {"C": 0.3}, {"C": 1.0}),
        note="scikit-learn's `TfidfVectorizer` on words and word pairs with sublinear counts, and `LinearSVC`; types "
        "by one-vs-rest.",
    ),
    Peer(
        "fastText",
        _fit_fasttext,
        _load_fasttext,
        settings=tuple({"lr": lr, "epoch": epoch} for lr in (0.5, 1.0) for epoch in (5, 25)),
        packages=("fasttext-numpy2-wheel",),
        note="As in the steps of its tutorial: letters lowered and punctuation set apart, word pairs, 50 dimensions, "
        "200,000 buckets; one thread.",
    ),
    Peer(
        "Vowpal Wabbit",
        _fit_vw,
        _load_vw,
        settings=tuple({"learning_rate": rate, "passes": passes} for rate in (0.25, 0.5) for passes in (1, 10)),
        packages=("vowpalwabbit",),
        note="The same text, one against all with logistic loss, word pairs with up to four words between them, as in "
        "its example on news; of several passes it keeps the best on rows that it holds out itself.",
    ),
)
"""Peers that look at words, simplest first."""
