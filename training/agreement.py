"""How far the readers of the corpus agree."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

from sklearn.metrics import cohen_kappa_score

from paratype import TYPES
from training.corpus import CORPUS

__all__ = ["READINGS", "agreement"]

READINGS = "readings.csv"
"""Every reading: a row's id, then label and labels (joined by spaces) by its writer and two blind readers.

Rows that were dropped because no two readings agreed are here too, so that they count.
"""

_READERS = ("writer", "first", "second")


def agreement(folder: Path = CORPUS) -> dict[str, Any]:
    """Return, for each pair of readers: share of equal labels, Cohen's kappa, and kappa of each type in labels.

    ``settled`` counts the rows by how many of the three readings gave the label that was kept; 1 means dropped.
    """
    with (folder / READINGS).open(encoding="utf-8", newline="") as stream:
        readings = list(csv.DictReader(stream))
    pairs = {}
    for one, other in (("first", "second"), ("writer", "first"), ("writer", "second")):
        a, b = [r[f"{one}_label"] for r in readings], [r[f"{other}_label"] for r in readings]
        pairs[f"{one} and {other}"] = {
            "rows": len(readings),
            "agreement": sum(x == y for x, y in zip(a, b, strict=True)) / len(readings),
            "kappa": float(cohen_kappa_score(a, b)),
            "kappa_of_types": {
                name: float(
                    cohen_kappa_score(
                        [name in r[f"{one}_labels"].split() for r in readings],
                        [name in r[f"{other}_labels"].split() for r in readings],
                    )
                )
                for name in TYPES
            },
        }
    most = [Counter(r[f"{reader}_label"] for reader in _READERS).most_common(1)[0][1] for r in readings]
    return {"pairs": pairs, "settled": {str(count): rows for count, rows in sorted(Counter(most).items())}}
