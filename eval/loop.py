"""One walk around: label files, correct what is most worth it, learn from that, and see what it gained.

Half the documents of a source play the files of a user, and the labels that are known play the person who corrects;
the other half tells what the corrections are worth. All commands are the ones a user gives.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from eval.answers import answers_of
from eval.compare import compare
from eval.data import Labelled, Part, load_labelled
from paratype import load
from paratype.writing.review import key_of

__all__ = ["walk"]

_ROOT = Path(__file__).parents[1]
_MODELS = ("accurate", "fast")
_COMMANDS = {"paratype": ("-c", "from paratype.cli import main; main()"), "training": ("-m", "training")}


def walk(data: Path, count: int, *, only: Collection[str] = (), log: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Walk once around with each source in the development part of a labelled file.

    Args:
        data: the file, whose records have a document and a source.
        count: how many rows to look at in each source.
        only: the sources to take; all of them if none is named.
        log: told what is done.

    Yields:
        After each source the results so far.
        ``walks``: for each source how many rows were looked at, of how many, and how many labels changed; how long
        training took, by the clock and in processor seconds; and for each model what `compare` says.
    """
    development = load_labelled(data, Part.development)
    sources = [source.split("/")[0] for source in development.sources]
    if unknown := set(only) - set(sources):
        raise ValueError(f"expected sources among {sorted(set(sources))}, got {sorted(unknown)}")
    walks: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for source in dict.fromkeys(only) or sorted(set(sources)):
            log(source)
            part = development.select([place for place, name in enumerate(sources) if name == source])
            walks.append({"source": source, **_walk(part, count, Path(scratch), log)})
            yield {"walks": walks, "cores": os.cpu_count()}


def _walk(data: Labelled, count: int, folder: Path, log: Callable[[str], None]) -> dict[str, Any]:
    mine, others = (data.select([p for p, name in enumerate(data.documents) if _half(name) == half]) for half in (0, 1))
    (folder / "mine.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in mine.texts), "utf-8")
    (folder / "my-rows.jsonl").unlink(missing_ok=True)
    review = ["--review", "review.csv", "--review-rows", str(count)]
    _run(folder, "paratype", "label", "mine.jsonl", "-o", "labelled.jsonl", *review, "--force", "--quiet")
    looked_at, changed = _correct(folder / "review.csv", mine)
    log(_run(folder, "training", "add", "review.csv")["printed"])
    trained = _run(folder, "training", "train", "--add", "my-rows.jsonl", "--output", "my-models", "--force")
    log(f"trained in {trained['seconds']:.0f} s, {trained['processor_seconds']:.0f} s of processor time")
    return {
        "looked_at": looked_at,
        "changed": changed,
        "of": len(mine.texts),
        "training": {key: trained[key] for key in ("seconds", "processor_seconds")},
        "models": {
            name: compare(others, *(answers_of(load(m), others.texts) for m in (name, folder / "my-models" / name)))
            for name in _MODELS
        },
    }


def _half(document: str) -> int:
    return int(hashlib.sha256(f"half:{document}".encode()).hexdigest(), 16) % 2


def _correct(review: Path, truth: Labelled) -> tuple[int, int]:
    """Write the known labels into a file for review; return how many rows it has and how many labels changed."""
    known = {key_of(" ".join(text.split())): place for place, text in enumerate(truth.texts)}
    with review.open(encoding="utf-8-sig", newline="") as stream:
        table = csv.DictReader(stream)
        rows, columns = list(table), table.fieldnames or ()
    changed = 0
    for row in rows:
        place = known[row["key"]]
        changed += row["label"] != truth.label[place]
        row["label"], row["labels"] = truth.label[place], ";".join(sorted(truth.labels[place]))
    with review.open("w", encoding="utf-8-sig", newline="") as stream:
        corrected = csv.DictWriter(stream, columns)
        corrected.writeheader()
        corrected.writerows(rows)
    return len(rows), changed


def _run(folder: Path, module: str, *arguments: str) -> dict[str, Any]:
    """Run a command in a folder; return what it printed and the time it took."""
    path = os.pathsep.join([str(_ROOT), str(_ROOT / "model")])
    command = [sys.executable, *_COMMANDS[module], *arguments]
    began, used = time.monotonic(), _processor_seconds()
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return {
        "printed": done.stdout.rstrip(),
        "seconds": time.monotonic() - began,
        "processor_seconds": _processor_seconds() - used,
    }


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
