import csv
import io
import json

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from paratype import LABELS, predict
from paratype.cli import app

TOLL = "At least ten people were killed and thirty wounded."
MORE = "It came as no surprise to anyone."
DOCUMENT = f"{MORE} {TOLL}\n\nThe team won the match.\n"
FOUND = {"text": TOLL, "start": len(MORE) + 1, "end": len(MORE) + 1 + len(TOLL)}


@pytest.fixture
def run(folder, tmp_path, monkeypatch):
    """Run a command with the small model, beside a document."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(DOCUMENT)

    def run(command, *arguments, model=folder, stdin=None):
        options = [command, "--model", str(model), *map(str, arguments)]
        return CliRunner().invoke(app, options, input=stdin, catch_exceptions=False)

    return run


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_evidence_is_an_object_in_json_lines_and_csv_and_a_struct_in_parquet(run, tmp_path):
    assert [row["evidence"] for row in lines(run("label", "a.txt", "--evidence").stdout)] == [FOUND, None]
    table = csv.DictReader(io.StringIO(run("label", "a.txt", "--evidence", "-f", "csv").stdout))
    assert [json.loads(row["evidence"] or "null") for row in table] == [FOUND, None]
    assert table.fieldnames[-2:] == ["evidence", "error"]
    assert run("label", "a.txt", "--evidence", "-o", "a.parquet").exit_code == 0
    read = pq.read_table("a.parquet")
    assert read["evidence"].to_pylist() == [FOUND, None]
    assert str(read.schema.field("evidence").type) == "struct<text: string, start: int64, end: int64>"


def test_without_it_there_is_no_such_column_and_one_of_ones_own_stays(run, tmp_path):
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": TOLL, "evidence": "mine"}) + "\n")
    (plain,), (asked,) = (lines(run("label", "b.jsonl", *more).stdout) for more in ([], ["--evidence"]))
    assert plain["evidence"] == asked["input_evidence"] == "mine" and "input_evidence" not in plain
    assert asked["evidence"] == {"text": TOLL, "start": 0, "end": len(TOLL)}
    assert {**asked, "evidence": "mine"} == {**plain, "input_evidence": "mine"}


def test_a_row_that_failed_has_no_evidence(run, tmp_path):
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": TOLL}) + "\ntorn\n")
    rows = lines(run("label", "b.jsonl", "--evidence").stdout)
    assert rows[1]["evidence"] is None and rows[1]["error"]


def test_without_the_text_there_are_offsets_alone(run):
    rows = lines(run("label", "a.txt", "--evidence", "--no-text").stdout)
    assert [row["evidence"] for row in rows] == [{**FOUND, "text": None}, None]
    assert TOLL not in run("label", "a.txt", "--evidence", "--no-text").stdout


@pytest.mark.slow
@pytest.mark.parametrize("model", ["fast", "accurate", "auto"])
def test_every_shipped_model_finds_the_toll(model):
    text = "Officials visited the province on Monday. At least 14 people were killed and 30 wounded in the blast."
    (prediction,) = predict([text], model=model, evidence=True)
    assert prediction.label == "casualty_figure" and prediction.evidence.text.startswith("At least 14")


def test_explanations_add_up_in_json_lines(run):
    first, second = lines(run("explain", "a.txt").stdout)
    assert (first["source"], first["paragraph"], first["text"]) == ("a.txt", 0, f"{MORE} {TOLL}")
    assert first["label"] == "casualty_figure" and second["label"] == "none"
    assert sorted(first["outcomes"]) == list(LABELS)
    for outcome in first["outcomes"].values():
        assert outcome["intercept"] + sum(pull["adds"] for pull in outcome["pulls"]) == pytest.approx(
            outcome["score"], abs=1e-4
        )


@pytest.mark.parametrize("top", [0, 1, 3])
def test_what_is_not_shown_is_added_up(run, top):
    whole = lines(run("explain", "a.txt").stdout)[0]["outcomes"]
    for name, outcome in lines(run("explain", "a.txt", "--top", top).stdout)[0]["outcomes"].items():
        pulls = [pull["adds"] for pull in outcome["pulls"]]
        assert sum(pull > 0 for pull in pulls) <= top >= sum(pull < 0 for pull in pulls)
        assert outcome["intercept"] + sum(pulls) + outcome["rest"] == pytest.approx(outcome["score"], abs=1e-4)
        assert outcome["score"] == whole[name]["score"]


def test_one_outcome_can_be_asked_for(run):
    assert list(lines(run("explain", "a.txt", "--label", "none").stdout)[0]["outcomes"]) == ["none"]
    refused = run("explain", "a.txt", "--label", "nonesuch")
    assert refused.exit_code == 2 and "unknown label 'nonesuch'; the model has analysis" in refused.stderr


def test_the_table_names_what_pulled(run):
    shown = run("explain", "a.txt", "--format", "table", "--top", 2, "--label", "casualty_figure").stdout
    assert "a.txt ¶ 0  casualty_figure" in shown and f"{MORE} {TOLL}" in shown
    (row,) = lines(run("explain", "a.txt", "--label", "casualty_figure").stdout)[:1]
    strongest = row["outcomes"]["casualty_figure"]["pulls"][0]
    assert f"{strongest['feature']} {strongest['adds']:+.2f}" in shown
    assert not any(line.endswith(" ") for line in shown.splitlines())


def test_standard_input_is_explained_too(run):
    (row,) = lines(run("explain", "-", stdin=TOLL).stdout)
    assert (row["source"], row["text"]) == ("-", TOLL)


@pytest.mark.parametrize("model", ["accurate", "auto"])
def test_models_without_words_are_refused_with_the_way_out(run, model):
    refused = run("explain", "a.txt", model=model)
    assert refused.exit_code == 2 and refused.stdout == ""
    said = " ".join(refused.stderr.replace("│", " ").split())
    assert f"expected a word model, got '{model}'" in said and "explain with the model fast" in said


def test_failures_are_named_and_counted(run, tmp_path):
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": TOLL}) + "\ntorn\n")
    partly, nothing = run("explain", "b.jsonl", "a.txt"), run("explain", "nonesuch.txt")
    assert partly.exit_code == 1 and len(lines(partly.stdout)) == 3 and "b.jsonl: line 2" in partly.stderr
    assert nothing.exit_code == 3 and "nonesuch.txt: No such file" in nothing.stderr


def test_text_that_would_steer_a_terminal_does_not(run, tmp_path):
    (tmp_path / "b.txt").write_text(
        "Ten killed \x1b[31mred [bold]x[/bold] \ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    )
    shown = run("explain", "b.txt", "--format", "table").stdout
    assert "\x1b" not in shown and "[bold]x[/bold]" in shown
