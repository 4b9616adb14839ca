"""What can be told of a saved model without labelling anything."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from paratype.artifact import MANIFEST_FILE
from paratype.model import Cascade, Model
from paratype.types import DEFAULT_MODEL
from paratype.writing.terminal import printable

__all__ = ["METRICS_FILE", "card", "describe"]

METRICS_FILE = "metrics.json"
CARD_FILE = "README.md"
# What a card has for the Hub alone.
_FRONT_MATTER = re.compile(r"\A---\n.*?^---\n\s*", re.DOTALL | re.MULTILINE)


def describe(folder: Path) -> str:
    """Return one line: the model's name, its size, and its headline scores with where they were measured."""
    manifest = json.loads((folder / MANIFEST_FILE).read_text("utf-8"))
    size = sum(entry["size"] for entry in manifest["files"].values()) / 1e6
    metrics = _metrics(folder)
    scores = (
        f"accuracy {metrics['accuracy']:.2f}, macro-F1 {metrics['macro_f1']:.2f} ({metrics['data']})"
        if metrics
        else "not scored"
    )
    shown = f"{size:6.1f} MB" if size >= 0.1 else "<0.1 MB"
    return f"{folder.name:<10} {shown:>9}   {scores}{'; the default' if folder.name == DEFAULT_MODEL else ''}"


def card(model: Model, folder: Path) -> str:
    """Return the model's labels, thresholds and provenance, and its card if it has one."""
    decision = model.decision
    lines = [
        f"model       {folder.name}",
        f"labels      {', '.join(decision.outcomes)}",
        *(
            f"threshold   {name} from {value:.2f}"
            for name, value in zip(decision.types, decision.thresholds, strict=True)
        ),
        f"review      below {decision.review_below:.2f}",
        *_parts(model),
        *(f"{key:<11} {_plain(value)}" for key, value in _provenance(folder).items()),
    ]
    text = folder / CARD_FILE
    if text.is_file():
        body = _FRONT_MATTER.sub("", text.read_text("utf-8", errors="replace"))
        lines += ["", *body.rstrip().splitlines()]
    return "\n".join(map(printable, lines))


def _parts(model: Model) -> list[str]:
    if not isinstance(model, Cascade):
        return []
    first, second = model.first.name, model.second.name
    return [f"asks        {first}, and {second} where {first} is less sure than {model.unsure_below:.2f}"]


def _plain(value: Any) -> str:
    """Return what JSON holds without its marks."""
    if isinstance(value, dict):
        inner = (
            (name, f"({_plain(part)})" if isinstance(part, dict) else _plain(part)) for name, part in value.items()
        )
        return ", ".join(f"{name} {part}" for name, part in inner)
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)


def _provenance(folder: Path) -> dict[str, Any]:
    provenance = json.loads((folder / MANIFEST_FILE).read_text("utf-8")).get("provenance")
    return provenance if isinstance(provenance, dict) else {}


def _metrics(folder: Path) -> dict[str, Any]:
    path = folder / METRICS_FILE
    metrics: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return metrics
