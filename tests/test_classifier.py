import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from paratype import LABELS, TYPES, ModelRefused, ParagraphClassifier, load
from paratype.features import NgramFeatures
from paratype.ngrams import text_array

# scikit-learn's own collection stops at an estimator that takes text; these of its checks need no numbers.
# Left out are those that fit on arrays of numbers, which are no texts; what they promise is tested here and in
# test_model.py (weights count like repetition, order, subsets) and test_artifact.py (models are saved, not pickled).
CHECKS = [
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_estimator_tags_renamed,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_mixin_order,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_set_params,
    estimator_checks.check_valid_tag_types,
]


def small(**changes):
    return ParagraphClassifier(NgramFeatures(min_df=1, pair_bits=10), **{"C": 10.0, **changes})


@pytest.mark.parametrize("estimator", [ParagraphClassifier(), NgramFeatures()], ids=["classifier", "features"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_scikit_learns_checks(check, estimator):
    check(type(estimator).__name__, estimator)


def test_clone_keeps_parameters_and_forgets_the_fit(classifier):
    copy = clone(classifier)
    assert copy.get_params()["features__pair_bits"] == 10
    assert not hasattr(copy, "model_")


def test_grid_search_and_cross_validation(rows):
    search = GridSearchCV(small(), {"C": [0.01, 10.0], "features__pair_weight": [0.1, 1.0]}, cv=3).fit(*rows)
    assert search.best_score_ > 0.7
    probabilities = cross_val_predict(small(), *rows, cv=3, method="predict_proba")
    assert (np.array(LABELS)[probabilities.argmax(axis=1)] == rows[1]).mean() > 0.7


def test_inside_a_pipeline(rows):
    pipeline = make_pipeline(FunctionTransformer(lambda texts: [text.strip() for text in texts]), small()).fit(*rows)
    assert pipeline.score(*rows) > 0.9


def test_features_alone_are_a_transformer(rows):
    matrix = NgramFeatures(min_df=2).fit_transform(rows[0])
    assert matrix.shape[0] == len(rows[0]) and matrix.dtype == np.float32


def test_the_folded_model_scores_as_the_estimator_it_came_from(rows):
    classifier = small(calibration_share=0).fit(*rows)
    features, heads = classifier.features_, classifier.model_.heads
    again = NgramFeatures(min_df=1, pair_bits=10).fit(rows[0])
    assert again.index_.vocabulary == features.index_.vocabulary
    folded = features.index_.matrix(text_array(rows[0])) @ heads.weights
    plain = classifier.features_.transform(rows[0])
    solved = np.linalg.lstsq(plain.toarray(), folded, rcond=None)[0]
    np.testing.assert_allclose(plain @ solved, folded, atol=1e-3)


def test_weight_counts_like_repetition(rows):
    texts, labels = rows
    weighted = small(calibration_share=0).fit(texts, labels, sample_weight=[3.0] * 3 + [1.0] * (len(texts) - 3))
    repeated = small(calibration_share=0).fit(texts[:3] * 2 + texts, labels[:3] * 2 + labels)
    difference = weighted.predict_proba(texts) - repeated.predict_proba(texts)
    assert np.abs(difference).max() < 0.1
    plain = small(calibration_share=0).fit(texts, labels)
    assert np.abs(plain.predict_proba(texts) - repeated.predict_proba(texts)).max() > np.abs(difference).max()


def test_learns_several_types_of_one_text(rows):
    texts, labels = rows
    states = [{label} - {"none"} | ({"attack_report"} if label == "casualty_figure" else set()) for label in labels]
    model = small().fit(texts, labels, labels=states)
    (prediction,) = model.label_texts(["At least ten people were killed and thirty wounded."])
    assert prediction.labels == ("attack_report", "casualty_figure")


def test_learns_from_probabilities(rows):
    texts, labels = rows
    hard = np.array([[float(label == name) for name in LABELS] for label in labels])
    states = np.array([[float(label == name) for name in TYPES] for label in labels])
    soft = small().fit(texts, 0.9 * hard + 0.02, labels=0.9 * states)
    assert (soft.predict(texts) == labels).mean() > 0.95


def test_groups_are_set_aside_whole(rows):
    labels = rows[1] * 2
    groups = np.repeat(np.arange(len(labels) // 3), 3)
    aside = small()._set_aside(np.eye(5)[np.unique(labels, return_inverse=True)[1]], groups, None)
    assert aside.any()
    for group in np.unique(groups):
        assert len(set(aside[groups == group])) == 1


def test_the_same_seed_gives_the_same_model(rows):
    first, second = small().fit(*rows), small().fit(*rows)
    np.testing.assert_array_equal(first.model_.heads.weights, second.model_.heads.weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": ["none"] * 60}, r"at least two different labels in y, got \['none'\]"),
        ({"y": ["none", "analysis"]}, "60 texts, 2 in y"),
        ({"y": np.ones((60, 3))}, "expected 5 columns of probabilities in y, got 3"),
        ({"labels": [["war"]] * 60}, r"got \['war'\]"),
        ({"sample_weight": [1.0]}, "60 texts, 1 in sample_weight"),
    ],
)
def test_what_does_not_fit_together_is_refused(rows, change, message):
    texts, labels = rows
    with pytest.raises(ValueError, match=message):
        small().fit(texts, **{"y": labels, **change})


def test_texts_must_be_texts():
    with pytest.raises(TypeError, match="got int at position 0"):
        small().fit([1, 2], ["none", "analysis"])


def test_further_types_can_be_taught(rows):
    texts, labels = rows
    model = small().fit([*texts, *["Prisoners were freed in an exchange."] * 6], [*labels, *["release"] * 6])
    assert model.predict(["Prisoners were freed in an exchange."]) == ["release"]


def test_an_outcome_that_no_row_has_is_learnt_as_unlikely(rows):
    texts, labels = rows
    targets = np.array([[float(label == name) for name in LABELS] for label in labels])
    kept = targets[:, LABELS.index("none")] == 0
    model = small().fit([text for text, keep in zip(texts, kept, strict=True) if keep], targets[kept])
    assert model.predict_proba(texts)[:, LABELS.index("none")].max() < 0.05


def test_calibration_of_easy_rows_has_a_limit(rows):
    texts, labels = rows
    model = small().fit(texts * 2, labels * 2)
    assert model.model_.heads.temperature >= 0.5


def test_a_model_saved_anew_is_opened_anew(rows, folder):
    before = load(folder).predict_proba(rows[0])
    small(C=0.01).fit(*rows).save(folder)
    assert np.abs(load(folder).predict_proba(rows[0]) - before).max() > 0.01


def test_a_model_that_could_not_be_opened_again_is_not_saved(rows, tmp_path):
    classifier = small().fit(*rows)
    classifier.model_.heads.weights[0, 0] = np.nan
    with pytest.raises(ModelRefused, match="not finite"):
        classifier.save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_pair_table_of_impossible_size_is_refused(rows):
    with pytest.raises(ValueError, match="pair_bits between 1 and 24, got 25"):
        NgramFeatures(pair_bits=25).fit(rows[0])


def test_thresholds_of_any_number_type_are_saved(rows, tmp_path):
    small(threshold=np.float64(0.25)).fit(*rows).save(tmp_path)
    assert load(tmp_path).decision.thresholds == (0.25,) * 4
