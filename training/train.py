"""From the corpus to the saved models."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from paratype.artifact import load_folder, save_folder
from paratype.encoder import ENCODER_FILE
from training.corpus import Row, corpus_hash
from training.recipes import ARTIFACTS, fit_accurate, fit_fast

__all__ = ["train_encoder", "train_models"]


def train_models(rows: Sequence[Row], *, artifacts: Path = ARTIFACTS, log: Callable[[str], None]) -> None:
    """Fit the accurate model's heads on its encoder, then the fast model as its student, and save both."""
    provenance = {"corpus": corpus_hash()}
    log(f"accurate: vectors and heads for {len(rows)} rows")
    accurate = fit_accurate(rows, artifacts / "accurate")
    save_folder(accurate.model_, artifacts / "accurate", provenance=provenance)
    log("fast: learning from the corpus and the accurate model")
    fast = fit_fast(rows, teacher=load_folder(artifacts / "accurate"))
    save_folder(fast.model_, artifacts / "fast", provenance=provenance)


def train_encoder(rows: Sequence[Row], *, artifacts: Path = ARTIFACTS, log: Callable[[str], None]) -> None:
    """Fine-tune the encoder on the authored rows that are not set aside for calibration, and export it.

    Seed rows are left out, so that the original seed articles can be scored with this encoder.
    """
    from training.encoder import Recipe, average, export, fine_tune, start_weights
    from training.recipes import is_for_calibration

    recipe, start = Recipe(), start_weights()
    train = [row for row in rows if row.origin == "authored" and not is_for_calibration(row)]
    log(f"encoder: {len(train)} rows, {recipe}")
    networks = [fine_tune(train, recipe, seed=seed, start=start, log=log) for seed in recipe.seeds]
    with tempfile.TemporaryDirectory() as scratch:
        export(average(networks), start, Path(scratch))
        for path in Path(scratch).iterdir():
            (artifacts / "accurate").mkdir(parents=True, exist_ok=True)
            (artifacts / "accurate" / path.name).write_bytes(path.read_bytes())
    log(f"wrote {artifacts / 'accurate' / ENCODER_FILE}; now run: python -m training train")
