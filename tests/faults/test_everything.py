"""Every kind of file, every fault and 200,000 rows: one row or one named error for each, however the run went."""

import json
import subprocess
import sys
import time
from collections import Counter
from itertools import groupby

import pytest

from tests.faults.everything import Expected, build
from tests.faults.processes import held_to_permissions

ROWS = 200_000
NAMED = {
    "missing.txt": Expected(0, ("No such file or directory",)),
    "notes.pdf": Expected(0, ("unknown kind of file '.pdf'",)),
}
COMMAND = """
import os, paratype.runs.journal as journal
os.fsync = lambda descriptor: None
journal.SYNC_SECONDS = journal._SYNC_SHARE = 0
from paratype.cli import main
main()
"""


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A folder, and what is expected of each input in it."""
    folder = tmp_path_factory.mktemp("everything")
    return folder, NAMED | build(folder, ROWS)


def start(given, output, *options):
    inputs = [*NAMED, "."]
    command = [sys.executable, "-c", COMMAND, "label", *inputs, "--model", "fast", "-o", str(output), *options]
    return subprocess.Popen(held_to_permissions(command), cwd=given[0], stderr=subprocess.PIPE, text=True)


def run(given, output, *options):
    """Run to the end; return the failures that were named, in order."""
    with start(given, output, *options) as child:
        _, said = child.communicate(timeout=500)
    assert child.returncode == 1 and "Traceback" not in said, said[-3000:]
    return [line.removeprefix("error: ") for line in said.splitlines() if line.startswith("error: ")]


@pytest.fixture(scope="module")
def straight(given, tmp_path_factory):
    """The output of an uninterrupted run, and the failures that it named."""
    output = tmp_path_factory.mktemp("straight") / "out.jsonl"
    return output, run(given, output, "--jobs", "1")


def test_every_input_gives_its_rows_or_named_errors(given, straight, record_property):
    _, expected = given
    output, failures = straight
    with output.open() as stream:
        rows = [json.loads(line) for line in stream]
    went = Counter({source: gives.rows for source, gives in expected.items() if gives.rows})
    came = Counter(row["source"] for row in rows)
    record_property("files tried", len(expected))
    record_property("rows lost", (went - came).total())
    assert came == went and came.total() > ROWS
    # A file's rows come together and in order, and each has a label or an error.
    assert [source for source, _ in groupby(rows, lambda row: row["source"])] == list(went)
    for source, own in groupby(rows, lambda row: row["source"]):
        numbers = [row["id"] for row in own if source.startswith(("large/", "kinds/")) and row.get("id") is not None]
        assert list(map(int, numbers)) == list(range(len(numbers)))
    assert all((row["label"] is None) == (row["error"] is not None) for row in rows)
    said = [f"{source}: {error}" for source, gives in expected.items() for error in gives.errors]
    assert len(failures) == len(said)
    assert [what for what, failure in zip(said, failures, strict=True) if not failure.startswith(what)] == []
    manifest = json.loads(output.with_name("out.jsonl.run.json").read_text())
    assert (manifest["rows"], manifest["failures"]) == (len(rows), len(said))


def test_the_same_bytes_come_out_a_second_time_and_with_more_jobs(given, straight, tmp_path):
    output, failures = straight
    assert run(given, tmp_path / "out.jsonl", "--jobs", "2") == failures
    assert (tmp_path / "out.jsonl").read_bytes() == output.read_bytes()


def test_a_run_that_is_killed_and_goes_on_gives_the_same_bytes(given, straight, tmp_path, record_property):
    output, failures = straight
    path = tmp_path / "out.jsonl"
    progress = tmp_path / ".out.jsonl.journal" / "progress.json"
    for most in (60_000, 140_000):
        with start(given, path, "--jobs", "2", "--resume") as child:
            while child.poll() is None and not (progress.exists() and kept(progress) >= most):
                time.sleep(0.002)
            child.kill()
        assert child.returncode < 0 and not path.exists() and kept(progress) >= most
        record_property("runs killed", 1)
    assert run(given, path, "--jobs", "2", "--resume") == failures
    assert path.read_bytes() == output.read_bytes()
    assert json.loads(path.with_name("out.jsonl.run.json").read_text())["runs"] == 3


def kept(progress):
    return json.loads(progress.read_text())["rows"]
