"""Checks on the corpus: every row, near copies, leaks between groups, the manifest, and how written it sounds."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from paratype import LABELS, TYPES
from paratype.text import MOST_WORDS, paragraph_hash
from training.corpus import CORPUS, CORRECTED, MANIFEST, Row, manifest_of, read_rows

__all__ = ["copied_runs", "copies_of", "drift", "near_duplicates", "problems", "row_problems"]

_ORIGINS = ("seed", "authored")
# Two paragraphs are near copies if they share this part of their word 5-grams (Jaccard).
_NEAR = 0.3
_GRAM = 5


def problems(folder: Path = CORPUS) -> list[str]:
    """Return all that is wrong with the corpus files; nothing, one hopes."""
    records = [
        (path.name, number, record)
        for path in sorted(folder.glob("*.jsonl"))
        for number, record in enumerate(read_rows(path), 1)
    ]
    found = [f"{name}:{number}: {problem}" for name, number, record in records for problem in row_problems(record)]
    if found:
        return found
    rows = [Row.from_json(record) for _, _, record in records]
    found += [f"rows {a.id} and {b.id} are near copies" for a, b in near_duplicates(rows) if a.group != b.group]
    found += [f"rows {ids} have the same text" for ids in _same(rows)]
    manifest = folder / MANIFEST
    if not manifest.is_file() or json.loads(manifest.read_text("utf-8")) != manifest_of(folder):
        found.append(f"{manifest.name} does not fit the files; if they are as you want them, run with --write")
    return found


def row_problems(record: dict[str, Any], origins: Sequence[str] = _ORIGINS) -> Iterator[str]:
    """Yield what is wrong with one record, whose origin may be one of some."""
    fields = set(Row.__dataclass_fields__)
    if set(record) != fields:
        yield f"expected the fields {sorted(fields)}, got {sorted(record)}"
        return
    text, label, labels = record["text"], record["label"], record["labels"]
    if not isinstance(text, str) or not isinstance(labels, list | tuple):
        yield f"expected text and a list of labels, got {type(text).__name__} and {type(labels).__name__}"
        return
    words = len(text.split())
    if not 1 <= words <= MOST_WORDS or text != text.strip() or "\n" in text:
        yield f"expected one line of 1 to {MOST_WORDS} words, got {words}"
    if record["id"] != hashlib.sha256(text.encode()).hexdigest()[:12]:
        yield f"the id {record['id']} is not that of the text"
    if label not in LABELS:
        yield f"unknown label {label!r}"
    if not set(labels) <= set(TYPES) or list(labels) != sorted(set(labels)):
        yield f"expected labels among {TYPES}, sorted, each once; got {labels}"
    if (label == "none") != (not labels) or (labels and label not in labels):
        yield f"label {label!r} does not go with labels {labels}"
    if record["origin"] not in origins:
        yield f"unknown origin {record['origin']!r}"
    if (record["origin"] == "seed") != bool(re.fullmatch(r"\d{3}:\d+", record["article"])):
        yield f"article {record['article']!r} does not go with origin {record['origin']!r}"
    if not record["group"]:
        yield "no group"
    if record["origin"] != CORRECTED and not 2 <= record["readers"] <= 3:
        yield f"expected 2 or 3 readers who agree, got {record['readers']}"


def near_duplicates(rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    """Yield pairs of rows that share at least 0.3 of their word 5-grams."""
    grams = [set(_grams(row.text, _GRAM)) for row in rows]
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, row_grams in enumerate(grams):
        for gram in row_grams:
            holders[gram].append(place)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for places in holders.values():
        for pair in combinations(places, 2):
            shared[pair] += 1
    for (a, b), count in sorted(shared.items()):
        if _is_near(count, grams[a], grams[b]):
            yield rows[a], rows[b]


def copies_of(rows: Sequence[Row], known: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """Yield pairs of a row and a known one that share at least 0.3 of their word 5-grams, or have the same words."""
    grams = [set(_grams(row.text, _GRAM)) for row in rows]
    holders: dict[Any, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        for gram in grams[place]:
            holders[gram].append(place)
        holders[paragraph_hash(row.text)].append(place)
    for other in known:
        others = set(_grams(other.text, _GRAM))
        shared = Counter(place for gram in others for place in holders.get(gram, ()))
        near = {place for place, count in shared.items() if _is_near(count, grams[place], others)}
        for place in sorted(near.union(holders.get(paragraph_hash(other.text), ()))):
            yield rows[place], other


def _is_near(shared: int, some: set[Any], others: set[Any]) -> bool:
    return shared >= _NEAR * (len(some) + len(others) - shared)


def copied_runs(rows: Iterable[Row], originals: Iterable[str], *, words: int = 14) -> list[Row]:
    """Return the rows that share so many words in a row with other people's text."""
    runs = {gram for text in originals for gram in _grams(text, words)}
    return [row for row in rows if any(gram in runs for gram in _grams(row.text, words))]


def drift(rows: Sequence[Row], real: Sequence[str]) -> tuple[float, list[str], list[str]]:
    """Tell how easily written paragraphs are told from real ones.

    Returns:
        Balanced accuracy (cross-validated) of a words-and-pairs classifier between authored rows and real
        paragraphs, and the words and pairs that give away the written and the real ones.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    written = [row.text for row in rows if row.origin == "authored"]
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    matrix = vectorizer.fit_transform([*written, *real])
    truth = np.array([1] * len(written) + [0] * len(real))
    head = LogisticRegression(class_weight="balanced", C=10, max_iter=1000)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    score = float(balanced_accuracy_score(truth, cross_val_predict(head, matrix, truth, cv=folds)))
    order = np.argsort(head.fit(matrix, truth).coef_[0])
    names = vectorizer.get_feature_names_out()
    return score, names[order[::-1][:40]].tolist(), names[order[:40]].tolist()


def _grams(text: str, size: int) -> Iterator[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return (tuple(words[i : i + size]) for i in range(len(words) - size + 1))


def _same(rows: Sequence[Row]) -> list[list[str]]:
    """Return the ids of rows whose texts differ in nothing but case, punctuation or spacing."""
    by_hash = defaultdict(list)
    for row in rows:
        by_hash[paragraph_hash(row.text)].append(row.id)
    return [ids for ids in by_hash.values() if len(ids) > 1]
