from dataclasses import replace

import pytest

from eval.bench import bench, generated
from eval.contenders import CONTENDERS, REFERENCES
from eval.report import bench_table
from training.corpus import Row

BY_NAME = {contender.name: contender for contender in CONTENDERS}
REFERENCE = REFERENCES["words"]
TIMED = ["bare pass over the bytes", "Paratype fast", REFERENCE]


@pytest.fixture(scope="module")
def corpus(rows):
    return [Row(str(n), *pair, (), "authored", "", "", "", "", "", 3) for n, pair in enumerate(zip(*rows, strict=True))]


def broken(rows):
    raise OSError("no such thing")


def one_short(rows):
    return lambda texts: len(texts) - 1


def dying(rows):
    raise SystemExit(3)


def ending_later(rows):
    answers = iter([40])
    return lambda texts: next(answers, None) or dying(rows)


@pytest.fixture(scope="module")
def result(corpus):
    reference = BY_NAME[REFERENCE]
    odd = [
        replace(reference, name="absent", packages=("no-such-package-a", "numpy", "no-such-package-b")),
        replace(reference, name="greedy", cores=10**6),
        *(replace(reference, name=f.__name__, prepare=f) for f in (broken, one_short, dying, ending_later)),
        replace(BY_NAME["Paratype fast"], name="slow one", group="encoders", slow=True),
    ]
    return bench(
        corpus,
        generated(corpus, 40),
        rounds=2,
        slow_rows=5,
        start_runs=1,
        disk_rows=30,
        contenders=[*(BY_NAME[name] for name in TIMED), *odd],
        log=lambda line: None,
    )


def test_who_is_timed(result):
    assert list(result["contenders"]) == [*TIMED, "slow one"]
    for name, timed in result["contenders"].items():
        assert timed["rows"] == (5 if name == "slow one" else 40)
        assert 0 < timed["per_second"]["low"] <= timed["per_second"]["median"] <= timed["per_second"]["high"]
        assert timed["bytes_per_second"]["median"] > timed["per_second"]["median"]
    assert result["contenders"][REFERENCE]["ratio"] == result["contenders"][TIMED[0]]["share_of_bare_pass"] == 1
    assert result["contenders"]["slow one"]["ratio"] is result["contenders"]["slow one"]["share_of_bare_pass"] is None


def test_who_is_left_out_is_named_with_the_reason(result):
    assert result["left_out"] == {
        "absent": "pip install no-such-package-a no-such-package-b",
        "greedy": "needs 1000000 cores",
        "broken": "failed: OSError: no such thing",
        "one_short": "failed: ValueError: 39 answers for 40 texts",
        "dying": "its process ended with 3",
        "ending_later": "its process ended with 3",
    }


def test_what_was_measured_is_said(result):
    assert result["text"]["rows"] == 40 and result["text"]["slow"]["rows"] == 5
    assert result["hardware"]["cores"] >= 1
    assert {"numpy", "scikit-learn", "paratype"} <= result["versions"].keys()
    assert "no-such-package-a" not in result["versions"]


def test_start_ups_and_the_run_from_disk_to_disk(result):
    assert next(iter(result["start"].values()))["ratio"] == 1
    assert any(name.startswith("paratype label") for name in result["start"])
    assert result["disk"]["rows"] == 30
    assert result["disk"]["rows_per_second"] > 0 and result["disk"]["peak_mebibytes"] > 10


def test_the_table_names_everyone(result):
    table = bench_table(result)
    for name in (*result["contenders"], *result["start"], *result["left_out"]):
        assert name in table
    assert "pip install no-such-package-a" in table and "30 rows from a JSON lines file" in table


def test_the_table_without_start_ups_and_disk(result):
    table = bench_table(result | {"start": {}, "disk": None, "left_out": {}})
    assert "Left out" not in table and "fresh process" not in table and "Parquet" not in table


def test_generated_text_is_the_same_each_time(corpus):
    assert generated(corpus, 20) == generated(corpus, 20) != generated(corpus, 20, seed=1)
