import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import paratype
from paratype import LABELS, TYPES, Prediction, predict
from paratype.model import Decision

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
