from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import paratype
from paratype import LABELS, TYPES, ParagraphClassifier, Prediction, predict
from paratype.features import NgramFeatures
from paratype.model import Cascade, Decision
from paratype.ngrams import text_array

TEXTS = ["At least ten people were killed.", "", "The team won the match.", " \n\u00a0", "We will strike your bases."]


def test_one_prediction_per_text_in_order(classifier):
    predictions = classifier.label_texts(TEXTS)
    assert [p.label for p in predictions] == ["casualty_figure", "none", "none", "none", "threat_statement"]
    assert all(isinstance(p, Prediction) for p in predictions)
    for count in (0, 1, 2):
        assert [p.label for p in classifier.label_texts(TEXTS[:count])] == [p.label for p in predictions[:count]]


def test_arrays_have_the_same_shape_for_any_number_of_texts(classifier):
    for count in (0, 1, 2, 5):
        assert classifier.predict(TEXTS[:count]).shape == (count,)
        assert classifier.predict_proba(TEXTS[:count]).shape == (count, len(LABELS))


def test_blank_texts_are_surely_none(classifier):
    for prediction in classifier.label_texts(["", " \t\n", "\u00a0"]):
        assert (prediction.label, prediction.score, prediction.labels) == ("none", 1.0, ())


@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=80), max_size=4))
def test_every_prediction_keeps_its_promises(classifier, texts):
    for prediction in classifier.label_texts(texts):
        assert prediction.label in LABELS and tuple(prediction.scores) == LABELS
        assert sum(prediction.scores.values()) == pytest.approx(1)
        assert prediction.score == max(prediction.scores.values()) == prediction.scores[prediction.label]
        assert tuple(prediction.states) == TYPES
        if prediction.label == "none":
            assert prediction.labels == ()
        else:
            assert prediction.label in prediction.labels
        assert all(0 <= value <= 1 for value in prediction.states.values())


def test_chunks_change_nothing(classifier, monkeypatch):
    model = classifier.model_
    texts = TEXTS * 5
    whole = model.predict_proba(texts)
    smaller = type(model)(
        model.name, type(model.features)(model.features.vocabulary, 10, 3), model.heads, model.decision
    )
    np.testing.assert_array_equal(smaller.predict_proba(texts), whole)


def test_thresholds_and_review_cut_do_something(classifier):
    model = classifier.model_
    texts = [TEXTS[0], TEXTS[4]]

    def with_decision(threshold, cut):
        decision = Decision(model.decision.outcomes, (threshold,) * 4, cut)
        return type(model)(model.name, model.features, model.heads, decision).label_texts(texts)

    assert [p.labels for p in with_decision(0.0, 0)] == [TYPES, TYPES]
    assert [p.labels for p in with_decision(1.1, 0)] == [("casualty_figure",), ("threat_statement",)]
    assert [p.review for p in with_decision(0.5, 1.1)] == [True, True]
    assert [p.review for p in with_decision(0.5, 0.0)] == [False, False]


def test_a_missing_key_of_the_decision_is_named():
    with pytest.raises(ValueError, match="lacks 'review_below'; it has"):
        Decision.from_config({"outcomes": ["a", "none"], "thresholds": [0.5]})


def test_label_document_gives_paragraphs_with_offsets(classifier):
    document = "A heading\n\nAt least ten people were killed.\n"
    (_, _), (paragraph, prediction) = classifier.model_.label_document(document)
    assert document[paragraph.start : paragraph.end] == paragraph.text
    assert prediction.label == "casualty_figure"


def test_predict_refuses_a_bare_string():
    with pytest.raises(TypeError, match="put it in a list"):
        predict("Two drones hit the base.")


def test_predict_with_a_folder(folder):
    assert [p.label for p in predict(["We will strike your bases."], model=folder)] == ["threat_statement"]


def test_an_unknown_model_is_refused_with_those_there_are():
    with pytest.raises(paratype.ModelRefused, match=r"no model or folder called 'nonesuch'; shipped models: .*fast"):
        predict(["text"], model="nonesuch")


@pytest.fixture(scope="module")
def other(rows):
    """A second small model, unlike the first."""
    return ParagraphClassifier(NgramFeatures(min_df=2, pair_bits=6, char_ngrams=None), C=1).fit(*rows).model_


@pytest.mark.parametrize("threads", [1, 2, 7, None])
def test_threads_change_nothing(classifier, threads):
    model = classifier.model_
    small = replace(model, features=replace(model.features, chunk=3))
    texts = text_array([f"{text} {number}" for number in range(5) for text in TEXTS])
    one, several = small.score(texts, threads=1), small.score(texts, threads=threads)
    np.testing.assert_array_equal(one.outcomes, several.outcomes)


@pytest.mark.parametrize("unsure_below", [0.0, 0.5, 0.7, 1.1])
def test_a_cascade_asks_its_second_model_where_the_first_is_unsure(classifier, other, unsure_below):
    first = classifier.model_
    texts = text_array(
        [f"{text} {more}" for text in TEXTS for more in ("", "The army fired shells.", "Coffee exports")]
    )
    quick, better = first.score(texts), other.score(texts)
    both = Cascade("both", first, other, unsure_below).score(texts)
    unsure = quick.score < unsure_below
    for field in fields(both):
        expected = getattr(quick, field.name).copy()
        expected[unsure] = getattr(better, field.name)[unsure]
        np.testing.assert_array_equal(getattr(both, field.name), expected)


def test_a_cascade_labels_as_any_model_does(classifier, other):
    cascade = Cascade("both", classifier.model_, other, 0.7)
    assert [p.label for p in cascade.label_texts(TEXTS)] == cascade.predict(TEXTS).tolist()
    assert cascade.label_texts([]) == [] and cascade.predict_proba([]).shape == (0, len(LABELS))
    with pytest.raises(TypeError, match="put it in a list"):
        cascade.predict("One.")
