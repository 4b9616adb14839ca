"""Where a model is right and where it is not: scores by kind of text, and its worst confusions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from eval.answers import Answers
from eval.data import Labelled
from eval.metrics import score
from training.corpus import Row

__all__ = ["by_kind_of_row", "by_source_and_length", "labelled_rows", "worst_confusions"]


def labelled_rows(rows: Sequence[Row]) -> Labelled:
    """Return corpus rows as labelled text; rows of one group are resampled together."""
    return Labelled(
        tuple(row.text for row in rows),
        tuple(row.label for row in rows),
        tuple(frozenset(row.labels) for row in rows),
        tuple(row.group for row in rows),
        tuple(row.origin for row in rows),
    )


def by_source_and_length(data: Labelled, answers: Answers) -> dict[str, Any]:
    """Score by where the text comes from and by its length."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, (text, source) in enumerate(zip(data.texts, data.sources, strict=True)):
        places[f"source {source.split('/')[0]}"].append(place)
        words = len(text.split())
        length = "under 30 words" if words < 30 else "30 to 80 words" if words <= 80 else "over 80 words"
        places[f"length {length}"].append(place)
    return _scores(places, data, answers)


def by_kind_of_row(rows: Sequence[Row], data: Labelled, answers: Answers) -> dict[str, Any]:
    """Score by genre, region and period of corpus rows."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        for name in (f"genre {row.genre}", f"region {row.region}", f"period {row.period}"):
            places[name].append(place)
    return _scores(places, data, answers)


def _scores(places: Mapping[str, list[int]], data: Labelled, answers: Answers) -> dict[str, Any]:
    results = {}
    for name, chosen in sorted(places.items()):
        scores = score(data.select(chosen), answers.select(chosen), intervals=False)
        results[name] = {key: scores[key] for key in ("rows", "accuracy", "macro_f1")}
    return results


def worst_confusions(data: Labelled, answers: Answers) -> list[dict[str, Any]]:
    """Return the ten most frequent confusions, each with the row on which the model was surest."""
    pairs = zip(data.label, answers.label.tolist(), strict=True)
    counts = Counter((truth, said) for truth, said in pairs if truth != said)
    found = []
    for (truth, said), count in counts.most_common(10):
        places = [i for i, label in enumerate(data.label) if (label, answers.label[i]) == (truth, said)]
        example = max(places, key=lambda place: answers.confidence[place])  # type: ignore[index]
        found.append({"label": truth, "said": said, "rows": count, "example": data.texts[example]})
    return found
