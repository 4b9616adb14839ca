"""All scores of models and baselines, as one plain dict that becomes JSON."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from eval.answers import Answers, answers_of, joined
from eval.baselines import BASELINES
from eval.cascade import trade_off
from eval.data import OFF_TOPIC, Labelled, Part, load_labelled, load_seeds
from eval.hardware import processor
from eval.metrics import score
from eval.robustness import CHANGES
from eval.slices import by_kind_of_row, by_source_and_length, labelled_rows, worst_confusions
from paratype.artifact import load_folder
from paratype.model import Model
from training.agreement import agreement
from training.check import drift
from training.corpus import CORPUS, Row, corpus_hash, manifest_of, read_rows
from training.recipes import ARTIFACTS, fit_accurate, fit_fast, is_for_calibration

__all__ = ["evaluate"]

Answerer = Callable[[Sequence[Row], Sequence[str]], Answers]
_FOLDS = 5
# The word model fitted anew for a split; the shipped one has a teacher as well.
_STUDENT = "fast, labels alone"


def evaluate(rows: Sequence[Row], data: Path | None, seeds: Path | None, log: Callable[[str], None]) -> dict[str, Any]:
    """Score the saved models and the baselines.

    Args:
        rows: the corpus.
        data: a labelled file; None for no such scores.
        seeds: folder with the original seed articles; None for no such scores.
        log: told what is being scored.
    """
    models = {name: load_folder(ARTIFACTS / name) for name in ("accurate", "auto", "fast")}
    results: dict[str, Any] = {
        "corpus": {"hash": corpus_hash(rows), "hard": _hard_rows(rows), **manifest_of()},
        "agreement": agreement(),
        "hardware": {"machine": platform.machine(), "processor": processor()},
    }
    if data is not None:
        log(f"labelled file {data.name}")
        results["real"] = {part.value: _on_real(rows, models, load_labelled(data, part)) for part in Part}
        log("drift")
        results["drift"] = drift(rows, load_labelled(data, Part.development).texts)[0]
        log("robustness")
        held_out = load_labelled(data, Part.held_out)
        results["robustness"] = {name: _robustness(model, held_out) for name, model in models.items()}
        results["slices"] = {
            name: by_source_and_length(held_out, answers_of(model, held_out.texts)) for name, model in models.items()
        }
        log("cascade: speed against accuracy")
        results["cascade"] = {part.value: trade_off(models["auto"], load_labelled(data, part)) for part in Part}
        log("leaving out corpus parts")
        results["without"] = _without_parts(rows, load_labelled(data, Part.development))
    if seeds is not None:
        log("seed articles, leaving one out")
        results["seeds"] = _on_seeds(rows, load_seeds(seeds))
    log("off-topic text")
    results["off_topic"] = _off_topic(rows, models)
    log("rows that no model learnt from")
    results["unseen"] = _on_unseen(rows, models)
    log("cross-validation")
    results["cross_validation"] = _cross_validate(rows)
    return results


def _hard_rows(rows: Sequence[Row]) -> int:
    """Count authored rows that keyword rules get wrong, that state several types, or that stand in a contrast set."""
    authored = [row for row in rows if row.origin == "authored"]
    said = BASELINES["keyword rules"](authored, [row.text for row in authored]).label
    return sum(
        row.label != label or len(row.labels) > 1 or row.group != row.id
        for row, label in zip(authored, said, strict=True)
    )


def _on_real(rows: Sequence[Row], models: dict[str, Model], data: Labelled) -> dict[str, Any]:
    scores = {name: score(data, baseline(rows, data.texts)) for name, baseline in BASELINES.items()}
    return scores | {name: score(data, answers_of(model, data.texts)) for name, model in models.items()}


def _off_topic(rows: Sequence[Row], models: dict[str, Model]) -> dict[str, Any]:
    """Return, for each model, the share of paragraphs of ordinary news that stays none, and what it says of all."""
    data = load_labelled(OFF_TOPIC)
    answers = {name: baseline(rows, data.texts) for name, baseline in BASELINES.items()}
    answers |= {name: answers_of(model, data.texts) for name, model in models.items()}
    return {
        name: {
            "rows": len(data.texts),
            "none": float((given.label == "none").mean()),
            "said": Counter(given.label.tolist()),
        }
        for name, given in answers.items()
    }


def _on_seeds(rows: Sequence[Row], data: Labelled) -> dict[str, Any]:
    """Score each original article with models that saw none of the rows that render it.

    The encoder is fine-tuned on authored rows alone, so its heads are all there is to fit anew.
    """
    answerers: dict[str, Answerer] = {**BASELINES, _STUDENT: _fit_fast, "accurate": _fit_accurate}
    results = {}
    for name, answer in answerers.items():
        parts, order = [], []
        for article in sorted(set(data.sources)):
            places = [place for place, source in enumerate(data.sources) if source == article]
            train = [row for row in rows if not row.article.startswith(f"{article}:")]
            parts.append(answer(train, [data.texts[place] for place in places]))
            order += places
        results[name] = score(data.select(order), joined(parts))
    authored = [row for row in rows if row.origin == "authored"]
    for name in (_STUDENT, "accurate"):
        results[f"{name}, authored rows alone"] = score(data, answerers[name](authored, data.texts))
    return results


def _fit_accurate(rows: Sequence[Row], texts: Sequence[str]) -> Answers:
    return answers_of(fit_accurate(rows, ARTIFACTS / "accurate").model_, texts)


def _fit_fast(rows: Sequence[Row], texts: Sequence[str]) -> Answers:
    return answers_of(fit_fast(rows, teacher=None).model_, texts)


def _on_unseen(rows: Sequence[Row], models: dict[str, Model]) -> dict[str, Any]:
    """Score the saved models on the corpus rows that served for nothing but calibration."""
    aside = [row for row in rows if is_for_calibration(row)]
    data = labelled_rows(aside)
    results = {}
    for name, model in models.items():
        answers = answers_of(model, data.texts)
        kinds = by_kind_of_row(aside, data, answers)
        results[name] = {"all": score(data, answers), "slices": kinds, "confusions": worst_confusions(data, answers)}
    return results


def _cross_validate(rows: Sequence[Row]) -> dict[str, Any]:
    """Score on corpus rows by five folds whose groups do not overlap.

    The word model learns from labels alone here, and the encoder is left out: both the teacher and the encoder
    have met the rows that would be tested.
    """
    data = labelled_rows(rows)
    answerers: dict[str, Answerer] = {**BASELINES, _STUDENT: _fit_fast}
    folds = list(GroupKFold(_FOLDS).split(data.texts, groups=data.documents))
    results: dict[str, Any] = {}
    for name, answer in answerers.items():
        parts = [answer([rows[i] for i in train], [data.texts[i] for i in test]) for train, test in folds]
        answers, order = joined(parts), np.concatenate([test for _, test in folds])
        ordered = data.select(order)
        results[name] = {"all": score(ordered, answers)}
        for origin in ("authored", "seed"):
            places = [place for place, source in enumerate(ordered.sources) if source == origin]
            results[name][origin] = score(ordered.select(places), answers.select(places))
        if name == _STUDENT:
            results[name]["worst_confusions"] = worst_confusions(ordered, answers)
            results[name]["slices"] = by_kind_of_row([rows[i] for i in order], ordered, answers)
    return results


def _without_parts(rows: Sequence[Row], data: Labelled) -> dict[str, Any]:
    """Score the word model, from labels alone, trained on all corpus files and on all but one at a time."""
    results = {"nothing left out": score(data, _fit_fast(rows, data.texts), intervals=False)}
    for name in manifest_of()["files"]:
        left_out = {record["id"] for record in read_rows(CORPUS / name)}
        rest = [row for row in rows if row.id not in left_out]
        results[name.removesuffix(".jsonl")] = score(data, _fit_fast(rest, data.texts), intervals=False)
    return results


def _robustness(model: Model, data: Labelled) -> dict[str, Any]:
    changed = {"unchanged": data.texts} | {
        name: tuple(change(text) for text in data.texts) for name, change in CHANGES.items()
    }
    return {name: score(data, answers_of(model, texts), intervals=False) for name, texts in changed.items()}
