import os
import shutil
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("pyspark", reason="needs Spark: pip install 'paratype[spark]'")
pytest.importorskip("psutil", reason="needs psutil: pip install 'paratype[engines]'")
if not shutil.which("java"):
    pytest.skip("needs a Java runtime, such as Debian's default-jre-headless", allow_module_level=True)

import pyspark
from pyspark import cloudpickle
from pyspark.sql import SparkSession

import paratype.spark
from paratype import ModelRefused, api
from paratype.workers import ModelElsewhere
from tests.engines.jobs import check_same, children, run_and_kill

pytestmark = [
    pytest.mark.engines,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # executors do not know this file


@pytest.fixture(scope="module")
def spark():
    """A cluster of two workers, each a Java process with Python processes of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.ui.enabled", "false")
        session = builder.config("spark.log.level", "ERROR").config("spark.driver.host", "127.0.0.1").getOrCreate()
        application = session.sparkContext.applicationId
        yield session
        session.stop()
        shutil.rmtree(Path(pyspark.__file__).parent / "work" / application, ignore_errors=True)


def openings(batches, model):
    """Label what a task gets; tell which process this is, and how often it opened a model for that."""
    before = api._open.cache_info().misses
    rows = sum(
        batch.num_rows for batch in paratype.spark._labelled(batches, text_column="text", model=model, threads=1)
    )
    told = {"process": [os.getpid()], "opened": [api._open.cache_info().misses - before], "rows": [rows]}
    yield pa.record_batch(told)


@pytest.mark.parametrize("model", ["fast", "accurate"])
def test_two_workers_give_what_one_machine_does(spark, model, folders, on_one_machine, tmp_path):
    df = spark.read.parquet(str(folders["some"])).repartition(8)
    paratype.spark.label(df, text_column="text", model=model).write.parquet(str(tmp_path / "out"))
    check_same(pq.read_table(tmp_path / "out"), on_one_machine("some", model), model)


def test_the_schema_is_the_input_and_what_is_published(spark):
    df = spark.createDataFrame(
        [(1, "We will strike your bases.", {"a": [1.5]})], "n short, body string, more map<string,array<double>>"
    )
    labelled = paratype.spark.label(df, text_column="body", model="fast")
    assert labelled.schema[:3] == df.schema[:]
    assert labelled.schema[3:] == paratype.spark.label_schema("fast")[:]
    assert labelled.schema["labels"].dataType.simpleString() == "array<string>"
    (row,) = labelled.collect()
    assert (row.n, row.more, row.label) == (1, {"a": [1.5]}, "threat_statement")


def test_a_python_worker_opens_a_model_once(spark, own_model):
    df = spark.range(64).selectExpr("id", "'The team won.' as text").repartition(16)
    model = ModelElsewhere.find(own_model)  # the executors are on this machine
    told = df.mapInArrow(partial(openings, model=model), "process long, opened long, rows long").collect()
    assert sum(row.rows for row in told) == 64
    opened = Counter()
    for row in told:
        opened[row.process] += row.opened
    assert set(opened.values()) == {1}
    assert len(opened) < len(told) == 16


def test_a_model_folder_is_sent_to_the_workers(spark, own_model):
    shutil.make_archive(str(own_model), "zip", own_model)
    spark.sparkContext.addArchive(f"{own_model}.zip#mine")
    df = spark.createDataFrame([(0, "We will strike your bases."), (1, None)], "id long, text string")
    labelled = paratype.spark.label(df, model=own_model)
    own_model.rename(own_model.with_name("gone"))
    assert [row.label for row in labelled.sort("id").collect()] == ["threat_statement", "none"]


def test_a_missing_column_and_a_taken_name_are_refused_at_once(spark):
    df = spark.range(1).selectExpr("id", "'a' as body", "1 as label")
    with pytest.raises(KeyError, match="expected a column 'text', got id, body, label; name it with text_column"):
        paratype.spark.label(df)
    with pytest.raises(KeyError, match="already has label; rename or drop"):
        paratype.spark.label(df, text_column="body")
    with pytest.raises(ModelRefused, match="no model or folder called 'nonesuch'"):
        paratype.spark.label(df, text_column="body", model="nonesuch")


def test_a_killed_worker_costs_no_row(spark, folders, on_one_machine, tmp_path):
    df = spark.read.parquet(str(folders["many"])).repartition(16)
    labelled = paratype.spark.label(df, model="accurate")
    output = tmp_path / "out"
    run_and_kill(
        lambda: labelled.write.parquet(str(output)), output, lambda: children("CoarseGrainedExecutorBackend")[0]
    )
    check_same(pq.read_table(output), on_one_machine("many", "accurate"), "accurate")
