import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paratype import LABELS, load
from paratype.arrow import label_batches, label_schema

TEXTS = ["At least ten people were killed.", "", "The team won the match.", None, "We will strike your bases."]
ADDED = ["label", "score", "labels", "review", *(f"p_{label}" for label in LABELS)]


def batch_of(texts=TEXTS, **columns):
    return pa.record_batch({"text": pa.array(texts, pa.string()), **columns})


def label(batches, classifier, **options):
    return list(label_batches(batches, model=classifier.model_, **options))


def table(batches):
    return pa.Table.from_batches(batches).to_pylist()


def test_the_schema_is_the_input_and_what_is_added(classifier):
    (labelled,) = label([batch_of()], classifier)
    assert labelled.schema.names == ["text", *ADDED]
    assert labelled.schema.types[1:5] == [pa.string(), pa.float64(), pa.list_(pa.string()), pa.bool_()]
    assert labelled.schema.types[5:] == [pa.float64()] * len(LABELS)
    assert pa.schema(list(labelled.schema)[1:]) == label_schema(classifier.model_)
    labelled.validate(full=True)


def test_other_columns_and_metadata_are_kept(classifier):
    schema = pa.schema(
        [
            ("id", pa.int16()),
            pa.field("text", pa.large_string(), metadata={"lang": "en"}),
            ("tags", pa.list_(pa.int8())),
        ],
        metadata={"made": "today"},
    )
    batch = pa.record_batch([[3, 1, 2], ["a", None, "c"], [[1], None, []]], schema=schema)
    (labelled,) = label([batch], classifier)
    assert labelled.select(["id", "text", "tags"]).equals(batch)
    assert labelled.schema.metadata == {b"made": b"today"}
    assert labelled.schema.field("text").metadata == {b"lang": b"en"}


def test_rows_are_those_of_label_texts(classifier):
    (labelled,) = label([batch_of()], classifier)
    predictions = classifier.label_texts([text or "" for text in TEXTS])
    for row, prediction in zip(labelled.to_pylist(), predictions, strict=True):
        assert (row["label"], tuple(row["labels"]), row["review"]) == (
            prediction.label,
            prediction.labels,
            prediction.review,
        )
        assert row["score"] == pytest.approx(prediction.score, abs=1e-4)
        assert [row[f"p_{name}"] for name in LABELS] == pytest.approx(list(prediction.scores.values()), abs=1e-4)


def test_null_texts_are_blank_ones(classifier):
    (labelled,) = label([batch_of([None, "", " \n"])], classifier)
    for row in labelled.to_pylist():
        assert (row["label"], row["score"], row["labels"], row["p_none"]) == ("none", 1.0, [], 1.0)


def test_a_column_of_nulls_alone_is_blank(classifier):
    (labelled,) = label([pa.record_batch({"text": pa.nulls(3)})], classifier)
    assert labelled["label"].to_pylist() == ["none"] * 3


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_every_kind_of_string_gives_the_same_rows(classifier, kind):
    texts = pa.array(TEXTS, pa.string())
    column = texts.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else texts.cast(kind)
    (labelled,) = label([pa.record_batch({"text": column})], classifier)
    assert labelled.schema.field("text").type == kind
    (expected,) = label([batch_of()], classifier)
    assert labelled.drop_columns(["text"]).equals(expected.drop_columns(["text"]))


def test_one_batch_comes_out_for_each_that_goes_in(classifier):
    batches = [batch_of(TEXTS[:2]), batch_of([]), batch_of(TEXTS[2:])]
    labelled = label(batches, classifier)
    assert [batch.num_rows for batch in labelled] == [2, 0, 3]
    assert table(labelled) == table(label([batch_of()], classifier))


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=8))
def test_one_batch_or_many_give_equal_rows(classifier, texts):
    whole = table(label([batch_of(texts)], classifier))
    single = table(label([batch_of([]), *(batch_of([text]) for text in texts)], classifier))
    assert single == whole


def test_a_slice_of_a_batch_gives_its_own_rows(classifier):
    (labelled,) = label([batch_of().slice(2, 2)], classifier)
    assert labelled.to_pylist() == table(label([batch_of()], classifier))[2:4]


def test_an_empty_batch_keeps_the_schema(classifier):
    (empty,) = label([batch_of([])], classifier)
    (full,) = label([batch_of()], classifier)
    assert empty.num_rows == 0 and empty.schema == full.schema


def test_no_batches_give_none(classifier):
    assert label([], classifier) == []


def test_batches_are_taken_one_at_a_time(classifier):
    taken = []

    def batches():
        for number in range(3):
            taken.append(number)
            yield batch_of()

    labelled = label_batches(batches(), model=classifier.model_)
    assert taken == []
    next(labelled)
    assert taken == [0]


def test_a_text_column_may_have_another_name(classifier):
    batch = pa.record_batch({"body": TEXTS, "text": ["other"] * len(TEXTS)})
    (labelled,) = label([batch], classifier, text_column="body")
    assert labelled.schema.names == ["body", "text", *ADDED]
    assert labelled["label"].to_pylist() == [row["label"] for row in table(label([batch_of()], classifier))]


def test_a_missing_text_column_is_refused_with_those_there_are(classifier):
    with pytest.raises(KeyError, match="expected a column 'text', got id, body; name it with text_column"):
        label([pa.record_batch({"id": [1], "body": ["a"]})], classifier)


def test_a_text_column_missing_from_a_later_batch_is_refused_then(classifier):
    labelled = label_batches([batch_of(), pa.record_batch({"body": ["a"]})], model=classifier.model_)
    assert next(labelled).num_rows == len(TEXTS)
    with pytest.raises(KeyError, match="expected a column 'text', got body"):
        next(labelled)


@pytest.mark.parametrize("name", ADDED)
def test_names_that_are_taken_are_refused(classifier, name):
    batch = batch_of(["a"], **{name: ["b"], "other": ["c"]})
    with pytest.raises(KeyError, match=f"the batch already has {name}; rename or drop them first"):
        label([batch], classifier)


def test_a_column_that_is_no_text_is_refused(classifier):
    with pytest.raises((pa.ArrowException, TypeError)):
        label([pa.record_batch({"text": [["a"], ["b"]]})], classifier)


def test_a_model_folder_or_an_opened_model_will_do(folder):
    by_name = list(label_batches([batch_of()], model=str(folder)))
    opened = list(label_batches([batch_of()], model=load(folder)))
    assert table(by_name) == table(opened)


def test_probabilities_are_rounded_alike_for_any_batch(classifier):
    texts = [f"At least {number} people were killed near the town." for number in range(300)]
    whole = table(label([batch_of(texts)], classifier))
    split = table(label([batch_of(texts[start : start + 7]) for start in range(0, 300, 7)], classifier))
    assert whole == split
    scores = np.array([row["score"] for row in whole])
    np.testing.assert_array_equal(scores, np.round(scores, 4))
