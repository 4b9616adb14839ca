import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paratype import Evidence
from paratype.arrow import label_batches, label_schema
from paratype.evidence import carrying_sentences
from paratype.model import Cascade
from paratype.ngrams import text_array
from paratype.sentences import sentences

TOLL = "At least ten people were killed and thirty wounded."
CALM = "The museum opens at nine and closes at six."
MORE = "It came as no surprise to anyone."
THREAT = "We will strike your bases if you do not leave."


@pytest.mark.parametrize("order", [(MORE, TOLL, MORE), (TOLL, MORE), (MORE, MORE, MORE, TOLL)])
def test_it_is_the_sentence_that_the_label_comes_from(classifier, order):
    text = " ".join(order)
    (prediction,) = classifier.label_texts([text], evidence=True)
    assert prediction.label == "casualty_figure"
    start = text.index(TOLL)
    assert prediction.evidence == Evidence(TOLL, start, start + len(TOLL))


def test_one_sentence_is_its_own_evidence_without_the_space_around_it(classifier):
    (prediction,) = classifier.label_texts([f"  {TOLL}\n"], evidence=True)
    assert prediction.evidence == Evidence(TOLL, 2, 2 + len(TOLL))


def test_of_equals_the_first_is_taken(classifier):
    (prediction,) = classifier.label_texts([f"{TOLL} {TOLL}"], evidence=True)
    assert prediction.evidence == Evidence(TOLL, 0, len(TOLL))


def test_none_and_blank_texts_have_no_evidence(classifier):
    predictions = classifier.label_texts([CALM, "", " \n", TOLL], evidence=True)
    assert [p.evidence is None for p in predictions] == [True, True, True, False]


def test_there_is_none_unless_asked_for_and_the_rest_is_the_same(classifier):
    texts = [f"{MORE} {TOLL}", CALM, THREAT, ""]
    plain, asked = classifier.label_texts(texts), classifier.label_texts(texts, evidence=True)
    assert all(p.evidence is None for p in plain)
    for one, other in zip(plain, asked, strict=True):
        assert [getattr(one, name) for name in ("label", "score", "labels", "scores", "states", "review")] == [
            getattr(other, name) for name in ("label", "score", "labels", "scores", "states", "review")
        ]


def test_nothing_more_is_asked_of_the_model_by_default(classifier, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("sentences were cut")

    monkeypatch.setattr("paratype.model.carrying_sentences", refuse)
    classifier.label_texts([f"{MORE} {TOLL}"])
    list(label_batches([pa.record_batch({"text": [f"{MORE} {TOLL}"]})], model=classifier.model_))
    with pytest.raises(AssertionError, match="sentences were cut"):
        classifier.label_texts([f"{MORE} {TOLL}"], evidence=True)


@given(
    texts=st.lists(
        st.text(max_size=60) | st.sampled_from([TOLL, f"{TOLL} {THREAT}", "\ud800. Killed. Ten."]), max_size=5
    )
)
def test_offsets_are_those_of_a_sentence_of_the_text(classifier, texts):
    for text, prediction in zip(texts, classifier.label_texts(texts, evidence=True), strict=True):
        found = prediction.evidence
        assert (found is None) == (prediction.label == "none" or not text.strip())
        if found:
            assert text[found.start : found.end] == found.text
            assert (found.start, found.end) in sentences(text)


def test_the_weight_is_probability_times_length():
    texts = ["Short one. A much longer sentence stands here.", "One. Two.", "Alone."]

    def states(alone):
        likely = {"Short one.": 0.9, "A much longer sentence stands here.": 0.3, "One.": 0.1, "Two.": 0.2}
        return np.array([[likely[text], 0.0] for text in alone.to_pylist()])

    assert carrying_sentences(texts, np.array([0, 0, 1]), states) == [(11, 46), (5, 9), (0, 6)]
    assert carrying_sentences(texts, np.array([-1, -1, -1]), lambda alone: np.zeros((len(alone), 2))) == [None] * 3
    assert carrying_sentences([], np.array([], int), lambda alone: np.zeros((len(alone), 2))) == []


def test_a_cascade_finds_it_with_its_quick_model(classifier):
    model = classifier.model_
    texts = text_array([f"{MORE} {TOLL}", CALM])
    cascade = Cascade("both", model, model, 2.0)
    assert cascade.evidence(texts, cascade.score(texts)) == model.evidence(texts, model.score(texts))


def test_documents_have_it_too(classifier):
    (_, heading), (paragraph, toll) = classifier.model_.label_document(f"Museum\n\n{MORE} {TOLL}", evidence=True)
    assert heading.evidence is None
    assert paragraph.text[toll.evidence.start : toll.evidence.end] == toll.evidence.text == TOLL


def test_the_arrow_column_comes_last_and_is_that_of_predictions(classifier):
    texts = [f"{MORE} {TOLL}", None, CALM, THREAT]
    (batch,) = label_batches([pa.record_batch({"text": texts})], model=classifier.model_, evidence=True)
    assert pa.schema(list(batch.schema)[1:]) == label_schema(classifier.model_, evidence=True)
    assert batch.schema.names[-1] == "evidence"
    batch.validate(full=True)
    predictions = classifier.label_texts([text or "" for text in texts], evidence=True)
    expected = [
        p.evidence and {"text": p.evidence.text, "start": p.evidence.start, "end": p.evidence.end} for p in predictions
    ]
    assert batch["evidence"].to_pylist() == expected
    assert json.dumps(expected[1]) == "null"


def test_a_column_of_that_name_is_in_the_way_only_if_it_is_asked_for(classifier):
    batch = pa.record_batch({"text": [TOLL], "evidence": ["mine"]})
    (labelled,) = label_batches([batch], model=classifier.model_)
    assert labelled["evidence"].to_pylist() == ["mine"]
    with pytest.raises(KeyError, match="the batch already has evidence; rename or drop them first"):
        list(label_batches([batch], model=classifier.model_, evidence=True))
