"""From the corpus to the saved models."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from paratype.artifact import load_folder, save_folder
from paratype.encoder import ENCODER_FILE
from paratype.model import Cascade
from training.corpus import Row, corpus_hash
from training.recipes import ARTIFACTS, CORRECTED_WEIGHT, UNSURE_BELOW, fit_accurate, fit_fast
from training.vectors import KeptVectors

__all__ = ["ENCODER_RECORD", "retrain", "train_encoder", "train_models"]

ENCODER_RECORD = "encoder.json"
"""What the encoder was fine-tuned on and how; it becomes part of the accurate model's provenance."""

VECTORS = "vectors.npz"


def train_models(rows: Sequence[Row], *, artifacts: Path = ARTIFACTS, log: Callable[[str], None]) -> None:
    """Fit the heads on the encoder, then the fast model as a student of that; save both models and their cascade."""
    provenance = {"corpus": corpus_hash(rows)}
    tuned = json.loads((artifacts / "accurate" / ENCODER_RECORD).read_text("utf-8"))
    if tuned["corpus"] != provenance["corpus"]:
        log("note: the encoder was fine-tuned on another state of the corpus; `python -m training encoder` renews it")
    log(f"accurate: vectors and heads for {len(rows)} rows")
    accurate = fit_accurate(rows, artifacts / "accurate")
    save_folder(accurate.model_, artifacts / "accurate", provenance=provenance | {"encoder": tuned})
    log("fast: learning from the corpus and the accurate model")
    fast = fit_fast(rows, teacher=load_folder(artifacts / "accurate"))
    save_folder(fast.model_, artifacts / "fast", provenance=provenance)
    _save_cascade(artifacts, provenance)


def retrain(
    rows: Sequence[Row],
    added: Sequence[Row],
    output: Path,
    *,
    artifacts: Path = ARTIFACTS,
    log: Callable[[str], None],
) -> None:
    """Fit new models on the corpus and a user's own rows, and save them in a folder that is not the shipped ones'.

    The encoder stays as it is. The vectors of all texts are kept in the folder, for the next time. The word model
    learns from the labels, and for other text from the shipped word model, which knows what its own teacher said.
    """
    output.mkdir(parents=True, exist_ok=True)
    everything = [*rows, *added]
    tuned = json.loads((artifacts / "accurate" / ENCODER_RECORD).read_text("utf-8"))
    record = {"rows": len(added), "hash": corpus_hash(added), "weight": CORRECTED_WEIGHT}
    provenance = {"corpus": corpus_hash(rows), "added": record}
    log(f"accurate: vectors and heads for {len(rows)} rows of the corpus and {len(added)} added")
    vectors = KeptVectors(artifacts / "accurate", file=output / VECTORS, log=log)
    accurate = fit_accurate(everything, artifacts / "accurate", vectors)
    save_folder(accurate.model_, output / "accurate", provenance=provenance | {"encoder": tuned})
    log("fast: learning from all rows and the shipped fast model")
    # Fewer texts than the shipped one learnt from, which would take several times as long.
    fast = fit_fast(everything, teacher=load_folder(artifacts / "fast"), recombined_per_row=1)
    save_folder(fast.model_, output / "fast", provenance=provenance)
    _save_cascade(output, provenance)


def _save_cascade(folder: Path, provenance: dict[str, Any]) -> None:
    first, second = (load_folder(folder / name) for name in ("fast", "accurate"))
    save_folder(Cascade("auto", first, second, UNSURE_BELOW), folder / "auto", provenance=provenance)


def train_encoder(rows: Sequence[Row], *, artifacts: Path = ARTIFACTS, log: Callable[[str], None]) -> None:
    """Fine-tune the encoder on the authored rows that are not set aside for calibration, and export it.

    Seed rows are left out, so that the original seed articles can be scored with this encoder.
    """
    from importlib.metadata import version

    from training.encoder import Recipe, export, fine_tune, start_weights
    from training.recipes import is_for_calibration

    recipe, start = Recipe(), start_weights()
    train = [row for row in rows if row.origin == "authored" and not is_for_calibration(row)]
    log(f"encoder: {len(train)} rows, {recipe}")
    export(fine_tune(train, recipe, start=start, log=log), start, artifacts / "accurate")
    record = {"corpus": corpus_hash(rows), "recipe": asdict(recipe), "torch": version("torch")}
    (artifacts / "accurate" / ENCODER_RECORD).write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    log(f"wrote {artifacts / 'accurate' / ENCODER_FILE}; now run: python -m training train")
