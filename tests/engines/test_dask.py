import os
import shutil
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

dd = pytest.importorskip("dask.dataframe", reason="needs Dask: pip install 'paratype[dask]'")
distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'paratype[dask]'")
pytest.importorskip("psutil", reason="needs psutil: pip install 'paratype[engines]'")

import cloudpickle
import dask
from distributed.diagnostics.plugin import UploadDirectory

import paratype.dask
from paratype import ModelRefused, api
from tests.engines.jobs import check_same, run_and_kill

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers do not know this file


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Two worker processes of two threads each."""
    scratch = tmp_path_factory.mktemp("scratch")
    options = {"n_workers": 2, "threads_per_worker": 2, "processes": True, "dashboard_address": None}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 3}),
        distributed.LocalCluster(**options, local_directory=str(scratch)) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def openings():
    """Tell, on a worker, how often it opened a model and met it again."""
    cache = api._open.cache_info()
    return cache.misses, cache.hits


@pytest.mark.parametrize("model", ["fast", "accurate"])
def test_two_processes_give_what_one_machine_does(client, model, folders, on_one_machine, tmp_path):
    paratype.dask.label(dd.read_parquet(folders["some"]), model=model).to_parquet(tmp_path / "out")
    check_same(pq.read_table(tmp_path / "out"), on_one_machine("some", model), model)


def test_the_types_are_known_before_anything_is_computed():
    frame = pd.DataFrame({"body": ["We will strike your bases.", None, ""], "n": [1, 2, 3]}, index=[5, 5, 7])
    labelled = paratype.dask.label(dd.from_pandas(frame, npartitions=2), "body", "fast")
    computed = labelled.compute(scheduler="sync")
    assert computed.dtypes.equals(labelled.dtypes)
    assert computed.index.tolist() == [5, 5, 7] and computed.n.tolist() == [1, 2, 3]
    assert computed.label.tolist() == ["threat_statement", "none", "none"]
    assert computed.dtypes["labels"] == pd.ArrowDtype(pa.list_(pa.string()))


def test_a_worker_opens_a_model_once_for_all_its_threads(client, own_model):
    frame = pd.DataFrame({"text": ["The team won."] * 64})
    before = client.run(openings)
    paratype.dask.label(dd.from_pandas(frame, npartitions=16), model=own_model).compute()
    after = client.run(openings)
    assert {worker: misses - before[worker][0] for worker, (misses, _) in after.items()} == dict.fromkeys(after, 1)


def test_a_model_folder_is_sent_to_the_workers(client, own_model):
    client.register_plugin(UploadDirectory(str(own_model)))
    frame = pd.DataFrame({"text": ["We will strike your bases.", None]})
    labelled = paratype.dask.label(dd.from_pandas(frame, npartitions=2), model=own_model)
    shutil.rmtree(own_model)
    assert labelled.compute().label.tolist() == ["threat_statement", "none"]


def test_a_missing_column_and_a_taken_name_are_refused_at_once():
    ddf = dd.from_pandas(pd.DataFrame({"body": ["a"], "label": [1]}), npartitions=1)
    with pytest.raises(KeyError, match="expected a column 'text', got body, label; name it with text_column"):
        paratype.dask.label(ddf)
    with pytest.raises(KeyError, match="already has label; rename or drop"):
        paratype.dask.label(ddf, text_column="body")
    with pytest.raises(ModelRefused, match="no model or folder called 'nonesuch'"):
        paratype.dask.label(ddf, text_column="body", model="nonesuch")


def test_a_killed_worker_costs_no_row(client, folders, on_one_machine, tmp_path):
    labelled = paratype.dask.label(dd.read_parquet(folders["many"]), model="accurate")
    assert labelled.npartitions == 16
    output = tmp_path / "out"
    run_and_kill(lambda: labelled.to_parquet(output), output, lambda: next(iter(client.run(os.getpid).values())))
    check_same(pq.read_table(output), on_one_machine("many", "accurate"), "accurate")
