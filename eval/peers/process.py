"""A process of its own on one core for each thing that is timed, so that nobody profits from what another has loaded.

`work` starts it; run as a module, it is that process.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from eval.hardware import ONE_THREAD

__all__ = ["Failed", "work"]

ROOT = Path(__file__).parents[2]
# What takes longer on one core is no choice for a laptop.
_MOST_MINUTES = 10
# Answering goes on until so many seconds and rounds are reached.
_SECONDS, _ROUNDS = 2.0, 3


class Failed(Exception):
    """A peer's process ended badly, and the message is the last thing that it said, or took too long."""


def work(task: str, name: str, folder: Path, scratch: Path, content: Any, **setting: Any) -> dict[str, Any]:
    """Run one task of a peer in a fresh process, and return what it measured.

    Args:
        task: ``fit``, which takes rows and gives seconds; ``start``, which takes texts and gives the seconds from the
            start of the process to the answer for the first; or ``answer``, which takes texts and gives that as well,
            their `Answers`, and the median seconds of a round. Seconds are of processor time, so that others on the
            machine count for little.
        name: of the peer.
        folder: where it is saved.
        scratch: a folder for what goes in and out.
        content: rows or texts.
        setting: of the peer, for ``fit``.

    Raises:
        Failed: if the process did not end well, or not within 10 minutes.
    """
    given, made = scratch / "given.pickle", scratch / "made.pickle"
    given.write_bytes(pickle.dumps(content))
    arguments = [task, name, str(folder), str(given), str(made), json.dumps(setting)]
    command = [sys.executable, "-m", "eval.peers.process", *arguments]
    options: dict[str, Any] = {"cwd": ROOT, "env": {**os.environ, **ONE_THREAD}, "timeout": 60 * _MOST_MINUTES}
    try:
        run = subprocess.run(command, capture_output=True, text=True, **options)
    except subprocess.TimeoutExpired as expired:
        raise Failed(f"not done after {_MOST_MINUTES} minutes on one core ({task})") from expired
    if run.returncode:
        lines = run.stderr.strip().splitlines()
        raise Failed(lines[-1] if lines else f"its process ended with {run.returncode}")
    result: dict[str, Any] = pickle.loads(made.read_bytes())
    return result


def _main(task: str, name: str, folder: str, given: str, made: str, setting: str) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    content = pickle.loads(Path(given).read_bytes())
    if task == "fit":
        result = _fit(name, Path(folder), content, json.loads(setting))
    else:
        result = _answer(name, Path(folder), content, first_alone=task == "start")
    Path(made).write_bytes(pickle.dumps(result))


def _fit(name: str, folder: Path, rows: Any, setting: dict[str, Any]) -> dict[str, Any]:
    from eval.peers.all import PEERS

    start = time.process_time()
    PEERS[name].fit(rows, folder, **setting)
    return {"seconds": time.process_time() - start}


def _answer(name: str, folder: Path, texts: Any, *, first_alone: bool) -> dict[str, Any]:
    from eval.peers.all import PEERS

    answer = PEERS[name].load(folder)
    answer(texts[:1])
    result: dict[str, Any] = {"start": time.process_time()}
    if first_alone:
        return result
    answers, seconds, end = answer(texts), [], time.process_time() + _SECONDS
    while len(seconds) < _ROUNDS or time.process_time() < end:
        begin = time.process_time()
        answer(texts)
        seconds.append(time.process_time() - begin)
    return result | {"answers": answers, "seconds": sorted(seconds)[len(seconds) // 2]}


if __name__ == "__main__":
    _main(*sys.argv[1:])
