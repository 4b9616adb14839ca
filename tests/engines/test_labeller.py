import pyarrow as pa
import pytest

from paratype import ModelRefused, load
from paratype.arrow import label_schema, label_table
from paratype.ray import Labeller

TABLE = pa.table({"id": [0, 1], "body": ["We will strike your bases.", None]})


def test_it_adds_the_columns_to_each_batch(folder):
    labeller = Labeller("body", folder)
    for table in (TABLE, TABLE.slice(1), TABLE.slice(2), pa.concat_tables([TABLE, TABLE])):
        labelled = labeller(table)
        assert labelled.schema == pa.schema([*TABLE.schema, *label_schema(load(folder))])
        assert labelled.equals(label_table(table, text_column="body", model=str(folder)))
        assert labelled.select(TABLE.column_names).equals(table)


def test_a_batch_in_another_format_is_refused(folder):
    with pytest.raises(TypeError, match='expected an Arrow table, got dict; pass batch_format="pyarrow"'):
        Labeller(model=folder)({"text": ["a"]})


def test_a_model_that_is_not_there_is_refused_at_the_start():
    with pytest.raises(ModelRefused, match="no model or folder called 'nonesuch'"):
        Labeller(model="nonesuch")
