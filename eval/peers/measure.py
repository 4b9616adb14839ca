"""Train the peers and score them: each setting on the development part, the best one on the held-out part."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from eval.data import Labelled
from eval.hardware import processor, version_of, versions
from eval.metrics import score
from eval.peers.all import PEERS
from eval.peers.peer import Peer
from eval.peers.process import Failed, work
from training.corpus import Row

__all__ = ["compare"]

_STARTS = 3
_OWN = ("paratype", "numpy", "pyarrow", "scikit-learn", "onnxruntime")


def compare(
    rows: Sequence[Row],
    development: Labelled,
    held_out: Labelled,
    *,
    names: Iterable[str] = tuple(PEERS),
    log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train peers on the rows and score them.

    Args:
        rows: the corpus.
        development: what the setting of a peer is chosen by, where it has several.
        held_out: what it is scored on.
        names: who takes part; one whose packages are not installed, or which fails, is left out and named.
        log: told who is being measured.

    Returns:
        For each peer its scores, setting, training time and start-up in seconds, paragraphs a second, size in bytes.
    """
    results, left_out = {}, {}
    for name in names:
        if missing := [package for package in PEERS[name].packages if not version_of(package)]:
            left_out[name] = f"pip install {' '.join(missing)}"
            continue
        log(name)
        try:
            results[name] = _measured(PEERS[name], rows, development, held_out, log)
        except Failed as failure:
            left_out[name] = str(failure)
            log(f"  left out: {failure}")
    packages = (*_OWN, *(package for name in results for package in PEERS[name].packages))
    return {
        "hardware": {"machine": platform.machine(), "processor": processor()},
        "python": platform.python_version(),
        "versions": versions(packages),
        "training_rows": len(rows),
        "peers": results,
        "left_out": left_out,
    }


def _measured(
    peer: Peer, rows: Sequence[Row], development: Labelled, held_out: Labelled, log: Callable[[str], None]
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        tried = []
        for number, setting in enumerate(peer.settings):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            seconds = work("fit", peer.name, folder, Path(scratch), rows, **setting)["seconds"]
            tried.append({"setting": dict(setting), "seconds": round(seconds, 2), "folder": folder})
            if len(peer.settings) > 1:
                said = work("answer", peer.name, folder, Path(scratch), development.texts)["answers"]
                tried[-1]["accuracy"] = score(development, said, intervals=False)["accuracy"]
            log(f"  {setting or 'as it comes'}: trained in {seconds:.1f} s {tried[-1].get('accuracy', '')}")
        best = max(tried, key=lambda attempt: attempt.get("accuracy", 0.0))
        measured = _timed(peer, best["folder"], Path(scratch), held_out)
    for attempt in tried:
        del attempt["folder"]
    return {
        **measured,
        "training_seconds": best["seconds"] if peer.trains else None,
        "setting": best["setting"],
        "tried": tried if len(tried) > 1 else [],
        "note": peer.note,
    }


def _timed(peer: Peer, folder: Path, scratch: Path, held_out: Labelled) -> dict[str, Any]:
    """Return what one trained peer is worth: scores, paragraphs a second, seconds to the first answer, bytes."""
    starts = [work("start", peer.name, folder, scratch, held_out.texts)["start"] for _ in range(_STARTS)]
    result = work("answer", peer.name, folder, scratch, held_out.texts)
    scores = score(held_out, result["answers"])
    return {
        "scores": scores,
        "per_second": float(f"{len(held_out.texts) / result['seconds']:.4g}"),
        "start_seconds": round(median(starts), 3),
        "bytes": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
    }
