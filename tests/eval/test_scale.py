import pytest

from eval import scale as module
from eval.markdown import fill
from eval.scale import scale
from eval.scale_tables import scale_tables
from training.corpus import Row

pytest.importorskip("psutil", reason="needs psutil: pip install 'paratype[engines]'")


@pytest.fixture(scope="module")
def corpus(rows):
    return [Row(str(n), *pair, (), "authored", "", "", "", "", "", 3) for n, pair in enumerate(zip(*rows, strict=True))]


@pytest.fixture(scope="module")
def result(corpus):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(module.ENGINES, "absent", "no-such-package")
        engines = ("paratype label", "absent")
        sizes = {"rows": 60, "slow_rows": 4, "files": 3}
        return scale(corpus, **sizes, workers=(1,), engines=engines, log=lambda line: None)


def test_each_run_labelled_all_rows_and_told_what_it_took(result):
    told = [(run["engine"], run["model"], run["workers"], run["rows"]) for run in result["runs"]]
    assert told == [("paratype label", "fast", 1, 60), ("paratype label", "accurate", 1, 4)]
    for run in result["runs"]:
        assert run["seconds"] > 0 and run["processor_seconds"] > 0 and 10 < run["worker_mebibytes"] < 4000
    assert result["left_out"] == ["absent"]


def test_the_stages_are_those_of_one_row(result):
    for stages in result["stages"].values():
        assert list(stages) == ["reading", "scoring", "writing"]
    assert result["stages"]["accurate"]["scoring"] > result["stages"]["fast"]["scoring"] > 0


def test_a_run_that_loses_rows_is_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name, rows in (("in", 3), ("out", 2)):
        (tmp_path / name).mkdir()
        pq.write_table(pa.table({"id": range(rows)}), tmp_path / name / "a.parquet")
    with pytest.raises(RuntimeError, match="Spark wrote 2 rows of 3"):
        module._check_rows("Spark", tmp_path / "in", tmp_path / "out")


def test_a_failed_run_says_why(tmp_path):
    with pytest.raises(RuntimeError, match=r"paratype label failed: [\s\S]*nothing-here"):
        list(module._runs("paratype label", 1, {"fast": tmp_path / "nothing-here"}, tmp_path / "out"))


def test_the_cost_is_the_core_hours_at_the_price(result, tmp_path):
    run = {"engine": "Spark", "model": "fast", "workers": 2, "rows": 1000, "processor_seconds": 3.6}
    run |= {"start": 1, "seconds": 2, "worker_mebibytes": 100, "load": 0.1}
    made = scale_tables(result | {"runs": [run, run | {"model": "accurate", "processor_seconds": 3600}], "price": 0.5})
    assert "| Spark, fast | 0.01 h, < 0.01 | 1.00 h, 0.50 | 100 h, 50 | 10,000 h, 5,000 |" in made["scale-cost"]
    assert "| Spark, fast | 2 | 1,000 | 1 | 2 | 500 | 3,600 | 100 | 0 |" in made["scale"]
    page = tmp_path / "page.md"
    page.write_text("<!-- table:scale -->\nold\n<!-- /table -->\n", "utf-8")
    fill(page, made)
    assert "old" not in page.read_text("utf-8")
