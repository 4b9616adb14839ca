import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paratype.columns import arrow_column, common_schema, with_schema

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)


def test_values_of_one_kind_keep_it():
    assert arrow_column([1, None, 3]).type == pa.int64()
    assert arrow_column([["a"], None]).type == pa.list_(pa.string())
    assert arrow_column([None, None]).type == pa.null()


def test_values_without_a_common_type_are_json():
    assert arrow_column([1, "a", None, {"b": [2]}]).to_pylist() == ["1", "a", None, '{"b": [2]}']
    assert arrow_column([2**70, 1]).to_pylist() == [str(2**70), "1"]


def test_lone_surrogates_become_question_marks():
    assert arrow_column(["a\ud800", "b"]).to_pylist() == ["a?", "b"]


@given(st.lists(PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(st.text(max_size=3), PLAIN, max_size=3)))
def test_any_values_make_a_column_of_as_many(values):
    column = arrow_column(values)
    assert len(column) == len(values)
    assert [value is None for value in values] == column.is_null().to_pylist()


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        (pa.null(), pa.int64(), pa.int64()),
        (pa.int64(), pa.float64(), pa.float64()),
        (pa.int64(), pa.string(), pa.string()),
        (pa.list_(pa.string()), pa.string(), pa.string()),
    ],
)
def test_a_common_type_takes_the_values_of_both(first, second, both):
    schema = common_schema(pa.schema([("a", first)]), pa.schema([("a", second), ("b", pa.int64())]))
    assert schema == pa.schema([("a", both), ("b", pa.int64())])


def test_a_table_gets_the_columns_it_lacks_and_text_for_what_fits_no_type():
    table = pa.table({"a": [[1, 2], None], "n": [1, 2]})
    schema = pa.schema([("a", pa.string()), ("n", pa.float64()), ("x", pa.string())])
    assert with_schema(table, schema).to_pylist() == [
        {"a": "[1, 2]", "n": 1.0, "x": None},
        {"a": None, "n": 2.0, "x": None},
    ]
