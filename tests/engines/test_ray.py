from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("ray.data", reason="needs Ray Data: pip install 'paratype[ray]'")
pytest.importorskip("psutil", reason="needs psutil: pip install 'paratype[engines]'")

import ray
from ray.cluster_utils import Cluster

from paratype.ray import Labeller
from tests.engines.jobs import check_same, children, run_and_kill

pytestmark = [
    pytest.mark.engines,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:The minimum number of concurrent actors:UserWarning"),
]
MEMORY = 150 << 20


@pytest.fixture(scope="module")
def cluster(classifier, tmp_path_factory):
    """Two nodes on this machine; a model folder is sent along with the job."""
    sent = tmp_path_factory.mktemp("sent")
    classifier.save(sent / "mine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        nodes = {"num_cpus": 2, "object_store_memory": MEMORY}
        both = Cluster(initialize_head=True, head_node_args={**nodes, "include_dashboard": False})
        both.add_node(**nodes)
        ray.init(
            address=both.address, runtime_env={"working_dir": str(sent)}, log_to_driver=False, logging_level="ERROR"
        )
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield both
        ray.shutdown()
        both.shutdown()


def labelled(dataset, **options):
    """Label with an actor on each node."""
    workers = ray.data.ActorPoolStrategy(size=2)
    return dataset.map_batches(
        Labeller, fn_constructor_kwargs=options, batch_format="pyarrow", compute=workers, scheduling_strategy="SPREAD"
    )


@pytest.mark.parametrize("model", ["fast", "accurate"])
def test_two_nodes_give_what_one_machine_does(cluster, model, folders, on_one_machine, tmp_path):
    assert len([node for node in ray.nodes() if node["Alive"]]) == 2
    labelled(ray.data.read_parquet(str(folders["some"])).repartition(8), model=model).write_parquet(
        str(tmp_path / "out")
    )
    check_same(pq.read_table(tmp_path / "out"), on_one_machine("some", model), model)


def test_a_model_folder_is_sent_to_the_workers(cluster):
    rows = pa.table({"body": ["We will strike your bases.", None], "id": [0, 1]})
    answers = labelled(ray.data.from_arrow(rows).repartition(2), text_column="body", model="mine").take_all()
    assert [row["label"] for row in sorted(answers, key=lambda row: row["id"])] == ["threat_statement", "none"]
    assert not Path("mine").exists()


def test_a_killed_worker_costs_no_row(cluster, folders, on_one_machine, tmp_path):
    job = labelled(ray.data.read_parquet(str(folders["many"])).repartition(16), model="accurate")
    output = tmp_path / "out"
    run_and_kill(lambda: job.write_parquet(str(output)), output, lambda: children("MapWorker(")[0])
    check_same(pq.read_table(output), on_one_machine("many", "accurate"), "accurate")
