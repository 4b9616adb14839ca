"""Kill a run before each thing that it asks of the file system, one run for each; then go on, and compare.

Run by `test_every_step` in a process that has imported everything and started no thread, since it forks.
Prints, as JSON, the number of steps and what went wrong.
"""

import contextlib
import io
import json
import os
import signal
import sys
from pathlib import Path

import paratype.batch
import paratype.runs.journal
from paratype.cli import app

MODEL, OUTPUT, FIRST, STRIDE = sys.argv[1:]
JOURNAL = f".{OUTPUT}.journal"
STEPS = {"open", "os.rename", "os.remove", "os.truncate", "os.mkdir", "os.rmdir", "os.listdir", "os.scandir", "fsync"}

paratype.batch._MOST_CHARACTERS = 150
paratype.runs.journal.SYNC_SECONDS = paratype.runs.journal._SYNC_SHARE = 0


def label(folder, *options, kill_at=None):
    """Label in a child; return its exit code, negative if it was killed, and how many steps it took."""
    reading, writing = os.pipe()
    if child := os.fork():
        os.close(writing)
        with os.fdopen(reading) as steps:
            taken = len(steps.read())
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), taken

    def step(event, arguments):
        if event in STEPS and (event == "fsync" or any(JOURNAL in str(name) for name in arguments[:2])):
            nonlocal kill_at
            os.write(writing, b".")
            kill_at = None if kill_at is None else kill_at - 1
            if kill_at == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    os.fsync = lambda descriptor: step("fsync", ())  # not waiting for the disk
    sys.addaudithook(step)
    os.chdir(folder)
    code = 1
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            code = app(["label", "in.jsonl", "--model", MODEL, "-o", OUTPUT, *options], standalone_mode=False)
        except BaseException as error:
            code, text = getattr(error, "exit_code", 99), f"{error!r} {said.getvalue()}"
            Path("said").write_text(text)
    os._exit(code or 0)


def new_folder(name):
    folder = Path(name)
    folder.mkdir()
    texts = ["At least ten people were killed."] * 5 + ["The team won the match."] * 5
    rows = [{"id": n, "text": text, **({"late": n} if n > 6 else {})} for n, text in enumerate(texts)]
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def wrong(folder, expected):
    """Return what is wrong after the run that went on; None if nothing."""
    names = sorted(path.name for path in folder.iterdir() if path.name != "said")
    if names != sorted(["in.jsonl", OUTPUT, f"{OUTPUT}.run.json"]):
        return f"files {names}"
    if (folder / OUTPUT).read_bytes() != expected:
        return "other bytes"
    rows = json.loads((folder / f"{OUTPUT}.run.json").read_text())["rows"]
    return None if rows == 10 else f"{rows} rows in the manifest"


straight = new_folder("straight")
code, steps = label(straight)
assert code == 0, (straight / "said").read_text()
expected = (straight / OUTPUT).read_bytes()
problems = []
killed = range(int(FIRST), steps + 1, int(STRIDE))
for number in killed:
    folder = new_folder(f"killed-{number}")
    code, _ = label(folder, kill_at=number)
    if code != -signal.SIGKILL:
        problems.append(f"step {number}: not killed, {code}")
    done = (folder / OUTPUT).exists() and not (folder / JOURNAL / "finished.json").exists()
    code, _ = label(folder, "--resume")
    if code != (2 if done else 0):
        problems.append(f"step {number}: exit code {code}, done {done}")
    if problem := wrong(folder, expected):
        problems.append(f"step {number}: {problem}")
print(json.dumps({"killed": len(killed), "problems": problems}))  # noqa: T201
