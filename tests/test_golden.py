"""Predictions of the shipped models that are right and must stay so.

To see what the models say: `python tests/test_golden.py`. Put a text into `golden.jsonl` only with the
label that the guideline gives it, never with what a model happened to say.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from paratype import LABELS, load
from paratype.artifact import shipped_models


def rows(path):
    # not splitlines, which also cuts at U+2028 and its like inside a text
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


GOLDEN = rows(Path(__file__).parent / "golden.jsonl")


@pytest.mark.parametrize("name", shipped_models())
def test_golden_predictions(name):
    labels = load(name).predict([row["text"] for row in GOLDEN])
    wrong = [(row["text"], label) for row, label in zip(GOLDEN, labels, strict=True) if row["label"] != label]
    assert not wrong


def test_golden_texts_cover_every_label_and_are_not_in_the_corpus():
    assert {row["label"] for row in GOLDEN} == set(LABELS)
    corpus = Path(__file__).parents[1] / "training" / "corpus"
    texts = {row["text"] for path in corpus.glob("*.jsonl") for row in rows(path)}
    assert not texts & {row["text"] for row in GOLDEN}


@pytest.mark.parametrize("name", shipped_models())
def test_a_text_is_labelled_the_same_alone_and_in_company(name):
    model, texts = load(name), [row["text"] for row in GOLDEN]
    together = model.predict_proba(texts)
    for text, row in zip(texts[:5], together[:5], strict=True):
        np.testing.assert_allclose(model.predict_proba([text])[0], row, atol=1e-6)


def test_the_models_that_ship():
    assert shipped_models() == ["accurate", "auto", "fast"]


def test_a_long_text_is_read_to_its_end():
    model = load("accurate")
    filler = "The town council approved the budget for the library and the swimming pool. " * 60
    attack = "Gunmen stormed the police barracks, shot six officers dead and set the building on fire. " * 60
    assert model.predict([filler]).tolist() == ["none"]
    assert model.predict_proba([filler + attack])[0][LABELS.index("none")] < 0.5


if __name__ == "__main__":
    for row in GOLDEN:
        said = {name: str(load(name).predict([row["text"]])[0]) for name in shipped_models()}
        print(row["label"], said, row["text"])  # noqa: T201
