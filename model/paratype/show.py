"""What can be told of a saved model without labelling anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from paratype.artifact import MANIFEST_FILE
from paratype.model import Model
from paratype.writing.terminal import printable

__all__ = ["METRICS_FILE", "card", "describe"]

METRICS_FILE = "metrics.json"
CARD_FILE = "README.md"


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
    return f"{folder.name:<10} {size:5.1f} MB   {scores}"


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
        *(f"{key:<11} {json.dumps(value)}" for key, value in _provenance(folder).items()),
    ]
    text = folder / CARD_FILE
    if text.is_file():
        lines += ["", *text.read_text("utf-8", errors="replace").rstrip().splitlines()]
    return "\n".join(map(printable, lines))


def _provenance(folder: Path) -> dict[str, Any]:
    provenance = json.loads((folder / MANIFEST_FILE).read_text("utf-8")).get("provenance")
    return provenance if isinstance(provenance, dict) else {}


def _metrics(folder: Path) -> dict[str, Any]:
    path = folder / METRICS_FILE
    metrics: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return metrics
