"""Runs that are killed, starved and raced, as processes of their own."""

import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import pyarrow.parquet as pq
import pytest

# Small batches, each marked as synced, so that a run of a second has some hundred places to be stopped at. It does not
# wait for the disk, which may be busy for minutes: what a killed process wrote is safe with the system.
HURRIED = """
import os, paratype.batch, paratype.runs.journal
os.fsync = lambda descriptor: None
paratype.batch._MOST_CHARACTERS = 3000
paratype.runs.journal.SYNC_SECONDS = paratype.runs.journal._SYNC_SHARE = 0
from paratype.cli import main
main()
"""
# The same, but after each batch it takes a rest.
SLOW = """
import time, paratype.runs.journal
mark = paratype.runs.journal.Journal.mark
paratype.runs.journal.Journal.mark = lambda *arguments: (mark(*arguments), time.sleep(0.003))
"""
# The same, but after a thousand rows it waits for a file to appear.
GATED = """
import pathlib, time, paratype.runs.journal
mark = paratype.runs.journal.Journal.mark
def gate(journal, progress):
    mark(journal, progress)
    while progress["rows"] > 1000 and not pathlib.Path("go").exists():
        time.sleep(0.01)
paratype.runs.journal.Journal.mark = gate
"""
SOURCES = ["a.jsonl", "missing.txt", "b.csv", "c.txt"]
ROWS = 3000
TORN = 5


class Work:
    """A folder with inputs, and the command to label them. They, the model and so the outputs are always the same."""

    straights: ClassVar = {}

    def __init__(self, folder, here):
        self.here = here
        self.model = folder
        lines = []
        for n in range(ROWS):
            row = {"id": n, "text": f"At least {n} people were killed in raid {n}. " + "They fled. " * (n % 7)}
            row |= {"n": n if n % 2 else n + 0.5} if n > 900 else {"n": n}
            row |= {"late": [str(n)]} if n > 2400 else {}
            lines.append("torn\n" if n % 501 == 500 else json.dumps(row) + "\n")
        (here / "a.jsonl").write_text("".join(lines))
        (here / "b.csv").write_text("id,text,=x\n" + "".join(f'{n},"Row\n{n}.",=1\n' for n in range(300)))
        (here / "c.txt").write_text("We will strike your bases.\n\nThe team won the match.\n")
        self.rows = ROWS + 300 + 2

    def command(self, output, *options, first="", sources=SOURCES, held=False):
        python = [sys.executable, "-c", first + HURRIED]
        command = [*python, "label", *sources, "--model", self.model, "-o", output, *options]
        return held_to_permissions([*map(str, command)]) if held else [*map(str, command)]

    def start(self, output, *options, **how):
        command = self.command(output, *options, **how)
        return subprocess.Popen(command, cwd=self.here, stderr=subprocess.PIPE, text=True)

    def run(self, output, *options, **how):
        """Run to the end; return exit code and messages."""
        with self.start(output, *options, **how) as child:
            _, said = child.communicate(timeout=300)
        assert "Traceback" not in said, said
        return child.returncode, " ".join(said.replace("│", " ").split())

    def journal(self, output):
        path = Path(output)
        return self.here / path.parent / f".{path.name}.journal"

    def straight(self, output):
        """Return the bytes of an uninterrupted run."""
        if output in self.straights:
            return self.straights[output]
        path = self.here / "straight" / output
        path.parent.mkdir(exist_ok=True)
        code, said = self.run(path)
        assert code == 1, said  # some rows are torn, and an input is missing
        self.straights[output] = path.read_bytes()
        return self.straights[output]

    def wait_for_rows(self, output, child, rows):
        """Return when the journal keeps so many rows, or the run is over."""
        while child.poll() is None and self.rows_kept(output) < rows:
            time.sleep(0.001)

    def rows_kept(self, output):
        """Return how many rows the journal keeps; all of them if it is gone because the run was done."""
        for name in ("finished.json", "progress.json"):
            with contextlib.suppress(FileNotFoundError):
                return json.loads((self.journal(output) / name).read_text())["rows"]
        return self.rows if (self.here / output).exists() else 0

    def whole(self, output, expected):
        """Check that an output is what it has to be, and nothing else is left."""
        path = self.here / output
        assert path.read_bytes() == expected
        assert not self.journal(output).exists()
        manifest = json.loads(path.with_name(path.name + ".run.json").read_text())
        assert manifest["rows"] == self.rows == sum(manifest["labels"].values()) + TORN
        assert (manifest["output"]["bytes"], manifest["failures"]) == (len(expected), TORN + 1)
        return manifest


def held_to_permissions(command):
    """Return a command that permissions hold for even if root runs it; skip the test where that cannot be had."""
    if os.geteuid():
        return command
    setpriv = shutil.which("setpriv")
    if not setpriv:
        pytest.skip("root may read and write everything, and there is no setpriv to give that up")
    less = "-dac_override,-dac_read_search"
    return [setpriv, "--bounding-set", less, "--inh-caps", less, *command]


def ids(output, data):
    """Return the ids of the rows of an output, in order."""
    if output.endswith(".jsonl"):
        return [row.get("id") for row in map(json.loads, data.decode().splitlines())]
    if output.endswith(".csv"):
        return [row["id"] for row in csv.DictReader(io.StringIO(data.decode(), newline=""))]
    return pq.read_table(io.BytesIO(data))["id"].to_pylist()
