"""Two runs never write one output, and what changes under a run is told."""

import os

import pytest

from tests.faults.processes import GATED


def test_of_runs_that_start_at_once_one_writes(work):
    expected = work.straight("out.jsonl")
    children = [work.start("out.jsonl") for _ in range(3)]
    messages = [child.communicate(timeout=300)[1] for child in children]
    codes = [child.returncode for child in children]
    assert sorted(codes) == [1, 2, 2]
    for code, said in zip(codes, messages, strict=True):
        assert code == 1 or " is writing out.jsonl" in said or "out.jsonl exists" in said, said
    work.whole("out.jsonl", expected)


@pytest.mark.parametrize("option", ["--force", "--resume"])
def test_a_run_is_not_disturbed_by_another(work, option):
    expected = work.straight("out.csv")
    first = work.start("out.csv", first=GATED)
    work.wait_for_rows("out.csv", first, 1000)
    code, said = work.run("out.csv", option)
    assert code == 2 and f"process {first.pid} is writing out.csv; wait until it is done, or name another" in said
    (work.here / "go").touch()
    assert first.communicate(timeout=300) and first.returncode == 1
    work.whole("out.csv", expected)


def killed(work, output):
    child = work.start(output, first=GATED)
    work.wait_for_rows(output, child, 1000)
    child.kill()
    child.communicate(timeout=300)
    assert work.rows_kept(output) and not (work.here / output).exists()


def test_a_killed_run_does_not_go_on_with_an_input_that_was_cut(work):
    killed(work, "out.jsonl")
    os.truncate(work.here / "a.jsonl", 1000)
    code, said = work.run("out.jsonl", "--resume")
    assert code == 2 and "cannot go on: a.jsonl has changed; run it as it was begun" in said
    assert work.rows_kept("out.jsonl")


def test_a_killed_run_does_not_go_on_with_another_model(work):
    killed(work, "out.parquet")
    manifest = work.model / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text + " ")
    code, said = work.run("out.parquet", "--resume")
    assert code == 2 and "cannot go on: model was " in said
    manifest.write_text(text)
    assert work.run("out.parquet", "--resume")[0] == 1
    assert work.whole("out.parquet", (work.here / "out.parquet").read_bytes())["runs"] == 2


def test_a_killed_run_does_not_go_on_without_an_input_that_was_closed(work):
    killed(work, "out.jsonl")
    (work.here / "b.csv").chmod(0)
    code, said = work.run("out.jsonl", "--resume", held=True)
    assert code == 2 and "cannot go on: b.csv has changed" in said
    (work.here / "b.csv").chmod(0o600)
    assert work.run("out.jsonl", "--resume", held=True)[0] == 1
