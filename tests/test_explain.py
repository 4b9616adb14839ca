from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paratype import load
from paratype.explain import explain
from paratype.model import Cascade, softmax
from paratype.ngrams import LEAD_WORDS, text_array

ARTICLE = Path(__file__).parents[1] / "examples" / "article.txt"
TEXTS = ["Ten killed, ten killed and wounded in the town.", "", "The team won the match.", "zzyzx"]
WORDS = st.sampled_from(
    "ten killed and the army wounded bases Größe ‘strike’ zzyzx 14 ﬁred U.S. \u0301 \n 𝟙𝟚".split(" ")
)


@given(texts=st.lists(st.text(max_size=80) | st.lists(WORDS, max_size=40).map(" ".join), max_size=4))
@pytest.mark.parametrize("calibrated", [False, True])
def test_contributions_and_intercept_add_up_to_the_models_score(classifier, calibrated, texts):
    model = classifier.model_
    k = len(model.decision.outcomes)
    logits = model._logits(text_array(texts))[:, :k] / (model.heads.temperature if calibrated else 1)
    for explanation, scores in zip(explain(model, texts, calibrated=calibrated), logits, strict=True):
        assert tuple(explanation.outcomes) == model.decision.outcomes
        for part, score in zip(explanation.outcomes.values(), scores, strict=True):
            assert part.intercept + sum(pull.contribution for pull in part.pulls) == pytest.approx(part.score, abs=1e-9)
            assert part.score == pytest.approx(score, abs=1e-4)  # the model adds up in single precision
            assert [pull.contribution for pull in part.pulls] == sorted(
                (pull.contribution for pull in part.pulls), reverse=True
            )


def test_the_shipped_word_model_adds_up_and_gives_its_probabilities():
    model = load("fast")
    texts = [*TEXTS, ARTICLE.read_text("utf-8")]
    for explanation, text in zip(explain(model, texts), texts, strict=True):
        scores = np.array([[part.score for part in explanation.outcomes.values()]])
        if text:
            np.testing.assert_allclose(softmax(scores)[0], list(explanation.prediction.scores.values()), atol=1e-4)


def test_words_openings_and_pairs_are_told_apart_and_counted(classifier):
    (explanation,) = explain(classifier.model_, [TEXTS[0]])
    found = {(pull.kind, pull.feature): pull.count for pull in explanation.outcomes["casualty_figure"].pulls}
    assert found["word", "killed"] == found["opening", "killed"] == 2
    assert found["word", "ten"] == found["pair", "ten killed"] == 2
    assert ("pair", "killed ten") in found and ("pair", "killed killed") not in found
    names = {feature for _, feature in found}
    assert "town" in names


def test_only_the_first_words_open_a_text(classifier):
    (explanation,) = explain(classifier.model_, ["the " * LEAD_WORDS + "killed"])
    kinds = {pull.kind for pull in explanation.outcomes["none"].pulls if pull.feature == "killed"}
    assert kinds == {"word"}


def test_a_blank_text_has_intercepts_alone(classifier):
    (explanation,) = explain(classifier.model_, [""])
    assert explanation.prediction.label == "none"
    assert all(part.pulls == () and part.score == part.intercept for part in explanation.outcomes.values())


def test_models_whose_scores_do_not_come_apart_are_refused(classifier):
    cascade = Cascade("both", classifier.model_, classifier.model_, 0.5)
    with pytest.raises(ValueError, match=r"expected a word model, got 'both', .* explain with the model fast, or ask"):
        explain(cascade, ["One."])
    with pytest.raises(TypeError, match="put it in a list"):
        explain(classifier.model_, "One.")
