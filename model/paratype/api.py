"""`predict` and `load`: the two calls most users need."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from paratype.artifact import load_folder, manifest_bytes, shipped_folder, shipped_models
from paratype.model import Model
from paratype.text import check_texts
from paratype.types import DEFAULT_MODEL, ModelRefused, Prediction

__all__ = ["load", "model_folder", "predict"]


def predict(texts: Iterable[str], *, model: str | Path = DEFAULT_MODEL, evidence: bool = False) -> list[Prediction]:
    """Label texts.

    Args:
        texts: the paragraphs, as a list of strings. A long document is cut first: `Model.label_document`.
        model: name of a shipped model, or a model folder.
        evidence: whether to find the sentence that carries each label.

    Returns:
        One `Prediction` per text, in order; blank texts are ``none``.

    Raises:
        TypeError: for a bare string, or an item that is not a string.
        ModelRefused: if the model cannot be opened.
    """
    checked = check_texts(texts)
    return load(model).label_texts(checked, evidence=evidence)


def load(model: str | Path = DEFAULT_MODEL) -> Model:
    """Open a shipped model by its name, or a model folder; each is opened once and kept.

    Raises:
        ModelRefused: if there is no such model, or its files are not what they must be.
    """
    folder = model_folder(model)
    return _open(folder, manifest_bytes(folder))


def model_folder(model: str | Path) -> Path:
    """Return where a shipped model, or a folder that is there, stands.

    Raises:
        ModelRefused: if there is no such model.
    """
    if model in shipped_models():
        return shipped_folder(str(model))
    folder = Path(model)
    if not folder.is_dir():
        raise ModelRefused(f"no model or folder called {str(folder)!r}; shipped models: {', '.join(shipped_models())}")
    return folder.resolve()


@lru_cache(maxsize=8)
def _open(folder: Path, manifest: bytes) -> Model:
    """Open a folder; the manifest is part of the key, so that a model saved anew is opened anew."""
    return load_folder(folder)
