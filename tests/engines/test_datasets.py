import pickle

import pyarrow.parquet as pq
import pytest

datasets = pytest.importorskip("datasets", reason="needs datasets: pip install 'paratype[train]'")

from paratype import load
from paratype.arrow import label_table
from paratype.artifact import save_folder
from paratype.datasets import labeller


@pytest.fixture
def dataset(folders, tmp_path):
    files = sorted(map(str, folders["some"].glob("*.parquet")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        return datasets.Dataset.from_parquet(files, cache_dir=str(tmp_path / "cache"))


@pytest.mark.parametrize("model", ["fast", "accurate"])
def test_two_processes_give_what_one_call_does(dataset, folders, model, tmp_path):
    """That one call is what `paratype label` makes; the model is open before the processes part."""
    expected = label_table(pq.read_table(folders["some"]), model=load(model))
    mapped = dataset.with_format("arrow").map(labeller(model=model), batched=True, batch_size=30, num_proc=2)
    mapped.to_parquet(str(tmp_path / "out.parquet"))
    found = pq.read_table(tmp_path / "out.parquet").cast(expected.schema)
    assert found.equals(expected)
    assert mapped.features["labels"] == datasets.List(datasets.Value("string"))


def test_results_are_kept_by_the_model_and_not_by_its_name(dataset, classifier, tmp_path):
    def fingerprint():
        mapped = dataset.with_format("arrow").map(labeller(model=tmp_path / "mine"), batched=True)
        return mapped._fingerprint

    save_folder(classifier.model_, tmp_path / "mine", provenance={"version": 1})
    first, again = fingerprint(), fingerprint()
    save_folder(classifier.model_, tmp_path / "mine", provenance={"version": 2})
    assert first == again != fingerprint()


def test_what_goes_to_other_processes_is_small():
    assert len(pickle.dumps(labeller(model="accurate"))) < 1000


def test_batches_that_are_not_arrow_are_refused(dataset):
    with pytest.raises(TypeError, match=r'expected an Arrow table, got LazyBatch; map ds.with_format\("arrow"\)'):
        dataset.map(labeller(model="fast"), batched=True)
