"""The shipped models as peers of the others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from eval.answers import answers_of
from eval.peers.peer import Answerer, Peer
from training.corpus import Row

__all__ = ["OURS"]

_ARTIFACTS = Path(__file__).parents[2] / "artifacts"


def _fetch(names: Sequence[str], rows: Sequence[Row], folder: Path) -> None:
    """Copy the files that the manifests name: those of the model, and of the models that it asks."""
    for name in names:
        manifest = (_ARTIFACTS / name / "manifest.json").read_text("utf-8")
        (folder / name).mkdir()
        for file in ("manifest.json", *json.loads(manifest)["files"]):
            shutil.copy(_ARTIFACTS / name / file, folder / name / file)


def _load(name: str, folder: Path) -> Answerer:
    from paratype import load

    return partial(answers_of, load(folder / name))


def _ours(name: str, *, asks: Sequence[str] = (), note: str) -> Peer:
    return Peer(f"Paratype {name}", partial(_fetch, (name, *asks)), partial(_load, name), trains=False, note=note)


OURS = (
    _ours("fast", note="As shipped; learns from the same rows and from what `accurate` says of more text."),
    _ours("auto", asks=("fast", "accurate"), note="As shipped; its size is that of the two models that it asks."),
    _ours("accurate", note="As shipped; its encoder is fine-tuned on the same rows."),
)
"""The shipped models, fastest first. Their strength of regularisation, and `auto`'s cut, were chosen on the development
part as well."""
