"""The labelled corpus: one paragraph a row, in JSON lines files beside a manifest with their hashes."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["CORPUS", "CORRECTED", "MANIFEST", "Row", "corpus_hash", "load_corpus", "manifest_of", "read_rows"]

CORPUS = Path(__file__).parent / "corpus"
MANIFEST = "manifest.json"
CORRECTED = "corrected"
"""The origin of rows of a user's own, which never stand in the corpus itself."""


@dataclass(frozen=True)
class Row:
    """One labelled paragraph.

    Attributes:
        id: the first 12 hexadecimal digits of the text's sha256.
        text: the paragraph.
        label: the type that is its point, or none.
        labels: every type that it states.
        origin: ``seed`` or ``authored``; ``corrected`` for a user's own row.
        article: for a seed row, ``article:paragraph``: what it renders; else empty.
        region, genre, period: what the row was written as; empty for seed rows where it has no meaning.
        group: rows of one group speak of the same event or were written to contrast; they stay on one side of a split.
        readers: how many of three independent readings (the writer's and two blind ones) gave this label; of a
            user's own row, 1.
    """

    id: str
    text: str
    label: str
    labels: tuple[str, ...]
    origin: str
    article: str
    region: str
    genre: str
    period: str
    group: str
    readers: int

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Row:
        """Build a row from a record of a corpus file."""
        return cls(**{**record, "labels": tuple(record["labels"])})


def load_corpus(folder: Path = CORPUS) -> list[Row]:
    """Return all rows, in the order of file names and lines, loaded with ``datasets``.

    The cache is thrown away: ``datasets`` serves a folder that has a card from its cache even after an edit.
    """
    from datasets import Features, List, Value, load_dataset
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    text = {name: Value("string") for name in Row.__dataclass_fields__}
    features = Features({**text, "labels": List(Value("string")), "readers": Value("int32")})
    files = [str(path) for path in _files(folder)]
    with tempfile.TemporaryDirectory() as cache:
        data = load_dataset("json", data_files=files, features=features, split="train", cache_dir=cache)
        return [Row.from_json(record) for record in data]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the records of one file as they stand, for checks."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def manifest_of(folder: Path = CORPUS) -> dict[str, Any]:
    """Return what the manifest should say: rows, counts and sha256 of each file, and the counts of all."""
    rows = {path.name: read_rows(path) for path in _files(folder)}
    everything = [row for part in rows.values() for row in part]
    return {
        "rows": len(everything),
        "by_origin_and_label": {
            origin: _count(row["label"] for row in everything if row["origin"] == origin)
            for origin in ("seed", "authored")
        },
        "files": {
            path.name: {"rows": len(rows[path.name]), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for path in _files(folder)
        },
    }


def corpus_hash(rows: Iterable[Row]) -> str:
    """Return one hash over rows, as it stands in the manifest of a model that was trained on them."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(asdict(row)).encode() + b"\n")
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
