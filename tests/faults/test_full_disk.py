"""A run that finds no room ends with a message, and goes on when there is some."""

import os
import shutil
import subprocess

import pytest

from tests.faults.processes import GATED

LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))\n"


@pytest.fixture
def disk(tmp_path):
    """A disk of its own, and a function that sets its size in bytes."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path]
    if os.geteuid() or not mount or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a disk")
    yield path, lambda size: subprocess.run([mount, "-o", f"remount,size={size}", path], check=True)
    subprocess.run(["umount", path], check=True)


# What is held back takes its own room, and then the output beside it: the disk is full while rows come, or at the end.
@pytest.mark.parametrize(
    ("output", "share"),
    [("out.jsonl", 0.9), ("out.csv", 0.7), ("out.csv", 2.2), ("out.parquet", 1.5), ("out.jsonl.gz", 9)],
)
def test_a_run_on_a_full_disk_goes_on_when_there_is_room(work, disk, output, share, record_property):
    expected = work.straight(output)
    path, resize = disk
    resize(int(share * len(expected)))
    code, said = work.run(path / output)
    assert code == 2 and f"cannot write {path / output}: No space left on device; the rows so far are kept" in said
    code, said = work.run(path / output, "--resume")
    assert code == 2 and "No space left on device" in said and not (path / output).exists()
    resize(64 << 20)
    code, said = work.run(path / output, "--resume")
    assert code == 1, said
    assert work.whole(path / output, expected)["runs"] > 1
    record_property("disks filled", 1)


@pytest.mark.parametrize("output", ["out.jsonl", "out.parquet"])
def test_a_run_with_a_limit_to_files_goes_on_without(work, output):
    expected = work.straight(output)
    code, said = work.run(output, first=LIMITED.format(len(expected) // 2))
    assert code == 2 and f"cannot write {output}: File too large; the rows so far are kept" in said
    code, said = work.run(output, "--resume")
    assert code == 1, said
    work.whole(output, expected)


def test_a_run_that_has_no_room_for_a_row_leaves_nothing(work):
    code, said = work.run("out.csv", first=LIMITED.format(100))
    assert code == 2 and said.endswith("error: cannot write out.csv: File too large")
    assert not work.journal("out.csv").exists()


def test_a_run_whose_folder_is_closed_goes_on_when_it_is_open(work):
    folder = work.here / "folder"
    folder.mkdir()
    expected = work.straight("out.jsonl")
    child = work.start("folder/out.jsonl", first=GATED, held=True)
    work.wait_for_rows("folder/out.jsonl", child, 1000)
    folder.chmod(0o500)
    (work.here / "go").touch()
    _, said = child.communicate(timeout=300)
    folder.chmod(0o700)
    assert child.returncode == 2 and "Permission denied; the rows so far are kept" in " ".join(said.split())
    assert work.run("folder/out.jsonl", "--resume")[0] == 1
    work.whole("folder/out.jsonl", expected)
