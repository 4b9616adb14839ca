"""Labelled text to score on: any JSON lines file, and the original seed articles with the labels kept here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from paratype import LABELS
from paratype.text import paragraph_hash, paragraphs

__all__ = ["OFF_TOPIC", "REAL", "SEEDS", "Labelled", "Part", "load_labelled", "load_seeds", "seed_labels"]

REAL = Path("../shared/real/validation.jsonl")
SEEDS = Path("../shared/seeds")
OFF_TOPIC = Path(__file__).parent / "off_topic.jsonl"
"""Paragraphs of sport, business, culture, science and ordinary politics, written for this project: all none."""

_SEED_LABELS = Path(__file__).parent / "seed_labels.json"


class Part(str, Enum):
    """A part of a labelled file, drawn by document; who develops a model looks at ``development`` alone."""

    all = "all"
    development = "development"
    held_out = "held-out"


@dataclass(frozen=True)
class Labelled:
    """Texts with their labels.

    Attributes:
        texts: n texts.
        label: n labels.
        labels: n sets of types.
        documents: n names; texts of one document are resampled together.
        sources: n names of where each text comes from.
    """

    texts: tuple[str, ...]
    label: tuple[str, ...]
    labels: tuple[frozenset[str], ...]
    documents: tuple[str, ...]
    sources: tuple[str, ...]

    def select(self, places: Sequence[int]) -> Labelled:
        """Return some of the texts, by their places."""
        return Labelled(*(tuple(values[place] for place in places) for values in vars(self).values()))


def load_labelled(path: Path, part: Part = Part.all) -> Labelled:
    """Read a JSON lines file with ``text``, ``label``, and if there are any ``labels``, ``document``, ``source``.

    A record without ``labels`` states its label alone; one without ``document`` is one of its own.
    """
    records = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]
    for number, record in enumerate(records, 1):
        if missing := {"text", "label"} - set(record):
            raise ValueError(f"{path}: record {number} lacks {', '.join(sorted(missing))}")
        if record["label"] not in LABELS:
            raise ValueError(f"{path}: record {number} has the label {record['label']!r}; expected one of {LABELS}")
        record.setdefault("document", str(number))
        record.setdefault("labels", [] if record["label"] == "none" else [record["label"]])
    if part is not Part.all:
        wanted = part is Part.held_out
        records = [record for record in records if _is_held_out(record["document"]) == wanted]
    return Labelled(
        tuple(record["text"] for record in records),
        tuple(record["label"] for record in records),
        tuple(frozenset(record["labels"]) for record in records),
        tuple(record["document"] for record in records),
        tuple(record.get("source", path.stem) for record in records),
    )


def _is_held_out(document: str) -> bool:
    """Every third document, by a hash of its name, is held out: not looked at while models are made."""
    return int(hashlib.sha256(f"held-out:{document}".encode()).hexdigest(), 16) % 3 == 0


def seed_labels() -> dict[str, dict[str, object]]:
    """Return, for the hash of each original seed paragraph: article, paragraph, label, labels."""
    labels: dict[str, dict[str, object]] = json.loads(_SEED_LABELS.read_text("utf-8"))
    return labels


def load_seeds(folder: Path) -> Labelled:
    """Cut the original articles into paragraphs and give each distinct one its label; sources are article numbers.

    Each paragraph counts as a document of its own: four articles are too few to resample.

    Raises:
        ValueError: if the folder does not hold all the seed paragraphs.
    """
    known = seed_labels()
    found: dict[str, tuple[str, str]] = {}
    for path in sorted(folder.glob("*.txt")):
        for paragraph in paragraphs(path.read_text("utf-8")):
            key = paragraph_hash(paragraph.text)
            if key in known:
                found[key] = (paragraph.text, str(known[key]["article"]))
    if missing := len(known) - len(found):
        raise ValueError(f"{folder} lacks {missing} of the {len(known)} paragraphs of the seed articles")
    return Labelled(
        tuple(text for text, _ in found.values()),
        tuple(str(known[key]["label"]) for key in found),
        tuple(frozenset(known[key]["labels"]) for key in found),  # type: ignore[call-overload]
        tuple(found),
        tuple(article for _, article in found.values()),
    )
