"""`python -m training add` and `train --add`, as a user gives them."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from paratype import load
from paratype.artifact import MANIFEST_FILE, load_folder
from training import __main__ as commands
from training.additions import load_added
from training.corpus import load_corpus
from training.recipes import ARTIFACTS
from training.train import retrain

TEXT = "Fishermen off the eastern shore counted eleven grey patrol boats where last spring there had been two."


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "1000")
    return tmp_path


@pytest.fixture
def corpus(monkeypatch):
    """Few rows, so that it does not take long."""
    rows = load_corpus()[::60]
    monkeypatch.setattr(commands, "load_corpus", lambda: rows)
    return rows


def training(*arguments):
    return CliRunner().invoke(commands.app, list(map(str, arguments)), catch_exceptions=False)


def review(work, *rows, name="review.csv"):
    (work / name).write_text("text;label;labels\n" + "".join(f'"{text}";{label};\n' for text, label in rows), "cp1252")


def test_corrected_rows_are_checked_and_stored(work, corpus):
    review(work, (TEXT, "analysis"), ("Café “Général” closes.", "none"), ("Nobody judged this.", ""))
    result = training("add", "review.csv")
    assert result.exit_code == 0
    assert "2 rows: 2 new, 0 replaced, 0 already in my-rows.jsonl" in result.stdout
    assert "1 without a label left out" in result.stdout
    assert [row.label for row in load_added([work / "my-rows.jsonl"])] == ["analysis", "none"]
    assert "note: review.csv: read with semicolons" in result.stderr


def test_nothing_is_stored_if_anything_is_wrong(work, corpus):
    review(work, (TEXT, "analysis"), ("Two.", "war"), (corpus[5].text, corpus[5].label))
    result = training("add", "review.csv", "--to", "mine.jsonl")
    assert result.exit_code == 1 and not (work / "mine.jsonl").exists()
    first, second, last = result.stderr.splitlines()[-3:]
    assert "review.csv row 3 (“Two.”): unknown label 'war'" in first
    assert f"row 4 (“{corpus[5].text[:20]}" in second and f"near copy of row {corpus[5].id} of the corpus" in second
    assert last == "2 to put right; nothing was stored"


@pytest.mark.parametrize("name", ["none.csv", "review.xlsx"])
def test_a_file_that_cannot_be_read_is_named(name, corpus):
    result = training("add", name)
    assert result.exit_code == 1 and f"error: {name}: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--add", "my-rows.jsonl"], "expected --output FOLDER with --add"),
        (["--output", "mine"], "--output and --force go with --add FILE"),
        (["--add", "my-rows.jsonl", "--output", ARTIFACTS], "is where the shipped models are; name another folder"),
        (["--add", "my-rows.jsonl", "--output", ARTIFACTS / "accurate"], "is where the shipped models are"),
        (["--add", "my-rows.jsonl", "--output", "file"], "file is no folder"),
        (["--add", "my-rows.jsonl", "--output", "full"], "full has fast; name another folder, or replace"),
    ],
)
def test_wrong_usage_of_train(work, arguments, message):
    (work / "file").write_text("")
    (work / "full" / "fast").mkdir(parents=True)
    result = training("train", *arguments)
    assert result.exit_code == 2 and message in " ".join(result.stderr.split())


def test_added_rows_that_break_a_rule_are_named(work):
    (work / "my-rows.jsonl").write_text(json.dumps({"text": TEXT}) + "\n")
    result = training("train", "--add", "my-rows.jsonl", "--output", "mine")
    assert result.exit_code == 1 and "my-rows.jsonl line 1: expected the fields" in result.stderr
    assert not (work / "mine").exists()


@pytest.mark.slow
def test_new_models_learn_from_added_rows_and_the_shipped_ones_stay(work, corpus):
    review(
        work, *((f"{TEXT} They came {n} times.".replace("eleven", str(n)), "threat_statement") for n in range(30, 50))
    )
    assert training("add", "review.csv").exit_code == 0
    shipped = {path: path.read_bytes() for path in ARTIFACTS.glob(f"*/{MANIFEST_FILE}")}
    added = load_added([work / "my-rows.jsonl"])
    said = []
    retrain(corpus, added, work / "mine", log=said.append)
    assert shipped == {path: path.read_bytes() for path in shipped}
    for name in ("accurate", "fast", "auto"):
        assert load(work / "mine" / name).predict([TEXT]).tolist() == ["threat_statement"]
    assert load("accurate").predict([TEXT]).tolist() != ["threat_statement"]
    manifest = json.loads((work / "mine" / "fast" / MANIFEST_FILE).read_text())
    assert manifest["provenance"]["added"]["rows"] == 20
    before = {name: (work / "mine" / name / MANIFEST_FILE).read_bytes() for name in ("accurate", "fast")}
    shutil.rmtree(work / "mine" / "fast")
    computed = sum("vectors:" in line for line in said)
    retrain(corpus, added, work / "mine", log=said.append)
    assert before == {name: (work / "mine" / name / MANIFEST_FILE).read_bytes() for name in before}
    assert sum("vectors:" in line for line in said) == computed > 0  # kept from the first time
    assert load_folder(work / "mine" / "auto").unsure_below == 0.9
