"""Inputs that go away, grow, are closed, are far too many or far too long."""

import json
import os
import re

import pytest

from tests.faults.processes import GATED, ROWS

# Says at the end how many megabytes the process held at most.
MEASURED = """
import atexit, sys
def say():
    line, = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print("peak", int(line.split()[1]) // 1024, file=sys.stderr)
atexit.register(say)
"""


def while_it_runs(work, change):
    """Change inputs when a run has read some rows of the first; return exit code, messages and rows."""
    child = work.start("out.jsonl", first=GATED)
    work.wait_for_rows("out.jsonl", child, 1000)
    change()
    (work.here / "go").touch()
    _, said = child.communicate(timeout=300)
    assert "Traceback" not in said
    rows = [json.loads(line) for line in (work.here / "out.jsonl").read_text().splitlines()]
    return child.returncode, " ".join(said.split()), rows


def test_files_that_vanish_are_named_and_the_others_labelled(work, record_property):
    code, said, rows = while_it_runs(work, lambda: (work.here / "b.csv").unlink())
    assert code == 1 and "error: b.csv: No such file or directory" in said
    assert [row["source"] for row in rows] == ["a.jsonl"] * ROWS + ["c.txt"] * 2
    record_property("rows lost", ROWS + 2 - len(rows))


def test_a_file_that_grows_is_named_and_its_rows_are_whole(work, record_property):
    def grow():
        with (work.here / "a.jsonl").open("a") as stream:
            stream.write('{"id": 3000, "text": "Rockets struck the port."}\n' * 5000 + '{"id": 3001, "te')

    code, said, rows = while_it_runs(work, grow)
    assert code == 1 and "error: a.jsonl: changed while it was read; label it again" in said
    own = [row for row in rows if row["source"] == "a.jsonl"]
    assert len(own) >= ROWS and len(rows) == len(own) + 302
    assert [row["id"] for row in own if row["error"] is None][:100] == list(range(100))
    record_property("rows lost", max(0, ROWS - len(own)))


def test_a_folder_that_is_closed_is_named(work):
    for name in ("closed", "open"):
        (work.here / "folder" / name).mkdir(parents=True)
        (work.here / "folder" / name / "a.txt").write_text("One.")
    (work.here / "folder" / "closed").chmod(0)
    code, said = work.run("out.jsonl", sources=["folder"], held=True)
    assert code == 1 and "error: folder/closed: Permission denied" in said and "1 row from 1 file written" in said


def test_an_output_in_a_closed_folder_is_named_before_anything_is_read(work):
    (work.here / "folder").mkdir()
    (work.here / "folder").chmod(0o500)
    code, said = work.run("folder/out.jsonl", held=True)
    assert code == 2 and said == "error: cannot write folder/out.jsonl: Permission denied"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_twenty_thousand_tiny_files(work, jobs, record_property):
    for folder in range(20):
        (work.here / "tiny" / f"{folder:02}").mkdir(parents=True)
        for file in range(1000):
            (work.here / "tiny" / f"{folder:02}" / f"{file:03}.txt").write_text(f"Shells hit house {folder}.{file}.")
    code, said = work.run("out.jsonl", "--jobs", jobs, sources=["tiny"], first=MEASURED)
    rows = [json.loads(line) for line in (work.here / "out.jsonl").read_text().splitlines()]
    assert code == 0 and "20,000 rows from 20,000 files" in said
    assert [row["text"] for row in rows] == [f"Shells hit house {a}.{b}." for a in range(20) for b in range(1000)]
    assert peak(said) < 400
    record_property("files tried", 20_000)
    record_property("rows lost", 20_000 - len(rows))


def peak(said):
    (megabytes,) = re.findall(r"peak (\d+)", said)
    return int(megabytes)


# A hole in a file is read as zeros and takes no disk. What is over a limit is let go as it comes.
@pytest.mark.parametrize(
    ("name", "start", "code", "reason"),
    [
        ("a.jsonl", '{"text": "', 1, "a.jsonl: line 1: more than 256 MB"),
        ("a.csv", 'text\n"', 3, "a.csv: line 2 has more than 256 MB; part it"),
        ("a.txt", "One.", 3, "a.txt: more than 512 MB, too long for a document"),
    ],
)
def test_a_line_of_a_gigabyte_is_not_held(work, name, start, code, reason):
    path = work.here / "long" / name
    path.parent.mkdir()
    path.write_text(start)
    os.truncate(path, 1 << 30)
    got, said = work.run("out.jsonl", sources=[f"long/{name}"], first=MEASURED)
    assert got == code and f"error: long/{reason}" in said
    assert peak(said) < 1000


def test_a_paragraph_of_twenty_megabytes(work):
    (work.here / "long.txt").write_text("Gunmen attacked the police post. " * 600_000 + "\n\nThe team won.")
    code, said = work.run("out.jsonl", sources=["long.txt"], first=MEASURED)
    assert code == 0 and "2 rows from 1 file written" in said
    assert peak(said) < 800
