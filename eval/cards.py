"""The metadata of model cards: what the Hub shows of scores, from `metrics.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["fill_card", "with_scores"]

_NAMES = {
    "accuracy": ("accuracy", "Accuracy"),
    "macro_f1": ("f1", "Macro-F1 of the four types"),
    "labels_macro_f1": ("f1", "Macro-F1 of all types stated"),
    "calibration_error": ("expected_calibration_error", "Expected calibration error"),
    "accuracy_of_surest": ("accuracy", "Accuracy on the surest 60 %"),
}
_KEY = "model-index:"


def fill_card(path: Path) -> None:
    """Put the scores of the model beside a card into the card's metadata; a card without scores beside it stays."""
    metrics = path.with_name("metrics.json")
    if metrics.is_file():
        scores = json.loads(metrics.read_text("utf-8"))
        path.write_text(with_scores(path.read_text("utf-8"), path.parent.name, scores), "utf-8")


def with_scores(card: str, name: str, metrics: dict[str, Any]) -> str:
    """Return a card with its ``model-index`` made anew from metrics.

    Raises:
        ValueError: if the card does not begin with metadata between two lines of ``---``.
    """
    start, dashes, rest = card.partition("\n---\n")
    if not start.startswith("---\n") or not dashes:
        raise ValueError("expected a card that begins with metadata between two lines of ---")
    # It stands last, so that what is written by hand above it is never touched.
    kept = start.partition(f"\n{_KEY}")[0]
    return f"{kept}\n{_index(name, metrics)}\n---\n{rest}"


def _index(name: str, metrics: dict[str, Any]) -> str:
    """Return the ``model-index`` in YAML, as the Hub reads it."""
    lines = [
        _KEY,
        f"- name: {name}",
        "  results:",
        "  - task:",
        "      type: text-classification",
        "    dataset:",
        "      type: real-paragraphs",
        f"      name: {json.dumps(metrics['data'])}",
        "    metrics:",
    ]
    for key, (kind, title) in _NAMES.items():
        if key in metrics:
            lines += [f"    - type: {kind}", f"      name: {title}", f"      value: {metrics[key]}"]
    return "\n".join(lines)
