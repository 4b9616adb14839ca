import dataclasses
import hashlib
import json

import pytest

from training.agreement import agreement
from training.check import copied_runs, drift, near_duplicates, problems, row_problems
from training.corpus import CORPUS, MANIFEST, Row, corpus_hash, load_corpus, manifest_of
from training.recipes import is_for_calibration, recombined

TEXT = "Gunmen attacked a post near the river on Monday and burned two vehicles, the police said."


def record(text=TEXT, **changes):
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    plain = {
        "id": digest,
        "text": text,
        "label": "attack_report",
        "labels": ["attack_report"],
        "origin": "authored",
        "article": "",
        "region": "iraq",
        "genre": "wire",
        "period": "2010s",
        "group": digest,
        "readers": 3,
    }
    return plain | changes


def write(folder, records):
    (folder / "part.jsonl").write_text("".join(json.dumps(row) + "\n" for row in records), "utf-8")
    (folder / MANIFEST).write_text(json.dumps(manifest_of(folder)), "utf-8")


def test_the_corpus_has_nothing_wrong():
    assert problems() == []


@pytest.fixture(scope="module")
def corpus():
    return load_corpus()


def test_the_corpus_has_the_promised_rows(corpus):
    authored = [row for row in corpus if row.origin == "authored"]
    assert len(authored) >= 6000
    assert {row.label for row in authored} == {row.label for row in corpus} and len({row.label for row in corpus}) == 5
    renderings = [row.article for row in corpus if row.origin == "seed"]
    assert all(renderings.count(article) >= 3 for article in renderings)
    assert {article.split(":")[0] for article in renderings} == {"001", "002", "003", "004"}


def test_loading_sees_an_edit(tmp_path):
    write(tmp_path, [record()])
    assert [row.genre for row in load_corpus(tmp_path)] == ["wire"]
    before = corpus_hash(load_corpus(tmp_path))
    write(tmp_path, [record(genre="feature")])
    assert [row.genre for row in load_corpus(tmp_path)] == ["feature"]
    assert corpus_hash(load_corpus(tmp_path)) != before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": "war"}, "unknown label 'war'"),
        ({"label": "none"}, "does not go with labels"),
        ({"labels": []}, "does not go with labels"),
        ({"labels": ["attack_report", "analysis"]}, "sorted, each once"),
        ({"id": "0" * 12}, "is not that of the text"),
        ({"origin": "found"}, "unknown origin 'found'"),
        ({"origin": "seed"}, "article '' does not go with origin 'seed'"),
        ({"group": ""}, "no group"),
        ({"readers": 1}, "expected 2 or 3 readers who agree, got 1"),
        ({"extra": 1}, "expected the fields"),
    ],
)
def test_a_row_that_breaks_a_rule_is_told(changes, message):
    (problem, *_) = row_problems(record(**changes))
    assert message in problem


def test_near_copies_between_groups_and_stale_manifests_are_told(tmp_path):
    write(tmp_path, [record(), record(TEXT.replace("Monday", "Tuesday"))])
    assert any("near copies" in problem for problem in problems(tmp_path))
    write(tmp_path, [record(), record(TEXT.replace("Monday", "Tuesday"), group=record()["group"])])
    assert problems(tmp_path) == []
    write(tmp_path, [record(), record(TEXT.upper())])
    assert any("have the same text" in problem for problem in problems(tmp_path))
    (tmp_path / MANIFEST).write_text("{}", "utf-8")
    assert any("manifest.json does not fit" in problem for problem in problems(tmp_path))


def test_copied_text_is_found():
    row = Row.from_json(record())
    assert copied_runs(
        [row], ["Earlier, gunmen attacked a post near the river on Monday and burned two vehicles, the police!"]
    ) == [row]
    assert copied_runs([row], ["gunmen attacked a post near the sea"]) == []


def test_drift_tells_two_manners_apart():
    written = [Row.from_json(record(f"Nobody spoke of house number {i} again, whoever asked.")) for i in range(40)]
    real = [f"According to authorities, {i} percent of incidents were identified." for i in range(40)]
    score, ours, theirs = drift(written, real)
    assert score > 0.95 and "nobody" in ours and "according" in theirs


def test_near_duplicates_of_nothing():
    assert list(near_duplicates([])) == []


def test_every_group_is_set_aside_whole(corpus):
    aside = {}
    for row in corpus:
        assert aside.setdefault(row.group, is_for_calibration(row)) == is_for_calibration(row)
    assert 0.08 < sum(map(is_for_calibration, corpus)) / len(corpus) < 0.17
    assert not any(is_for_calibration(row) for row in corpus if row.origin == "seed")


def test_recombined_text_is_the_same_for_the_same_seed(corpus):
    assert recombined(corpus[:50], 20) == recombined(corpus[:50], 20) != recombined(corpus[:50], 20, seed=1)


def test_readings_cover_every_row(corpus):
    lines = (CORPUS / "readings.csv").read_text("utf-8").split("\n")[1:]
    assert {row.id for row in corpus} <= {line.split(",")[0] for line in lines}
    assert agreement()["pairs"]["first and second"]["kappa"] > 0.8


def test_rows_are_immutable(corpus):
    with pytest.raises(dataclasses.FrozenInstanceError):
        corpus[0].label = "none"


def test_the_folder_loads_by_its_card(corpus, tmp_path):
    from datasets import load_dataset

    rows = load_dataset(str(CORPUS), split="train", cache_dir=str(tmp_path))
    assert [row["id"] for row in rows] == [row.id for row in corpus]
    assert set(rows.column_names) == set(Row.__dataclass_fields__)
    assert rows[0]["labels"] == list(corpus[0].labels)
