"""Saved models: what stands in their folders, how one is written, and the guarded way in.

A model is a folder. ``model.joblib`` is joblib of one dict of plain things (numpy arrays without objects,
strings, numbers, lists, dicts); an encoder adds ``encoder.onnx`` and ``tokenizer.json``; ``manifest.json`` has
the sha256 and size of each of these files. Whatever else lies there (card, scores, pictures) is not read. A cascade's
dict names the two models that it is made of, whose folders stand beside its own.

Opening a model trusts nothing: files are read once, none that is a link, a device or too large, compared with the
manifest, unpickled or searched for what does not belong there by `paratype.guard`, and checked for format, types,
shapes and finite values; last, the probe texts in the file must come out with the probabilities stored beside them.

To change the format: raise `FORMAT`, keep a reader for the old number in `_READERS`, and keep a small
model in the old format among the tests.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from paratype.encoder import ENCODER_FILE, TOKENIZER_FILE, Encoder
from paratype.guard import check_network, check_tokenizer, load_plain
from paratype.model import Cascade, Decision, Features, Heads, LinearModel, Model
from paratype.ngrams import NgramIndex, text_array
from paratype.types import ModelRefused

__all__ = [
    "FORMAT",
    "MANIFEST_FILE",
    "MODEL_FILE",
    "load_folder",
    "manifest_bytes",
    "save_folder",
    "shipped_folder",
    "shipped_models",
]

FORMAT = 1
MODEL_FILE = "model.joblib"
MANIFEST_FILE = "manifest.json"

# No file of a model may be larger, whatever its manifest says.
_MOST_BYTES = {MODEL_FILE: 256 * 1024**2, ENCODER_FILE: 512 * 1024**2, TOKENIZER_FILE: 64 * 1024**2}
_MOST_MANIFEST_BYTES = 1024**2
_MOST_WORDS = 4_000_000
_TOKENS = range(8, 8193)  # of an encoder's windows

# The packages that decide what words, vectors and weights are.
_PACKAGES = ("joblib", "numpy", "onnxruntime", "pyarrow", "scikit-learn", "tokenizers")

# How far a probe's probabilities may be off: another machine's arithmetic rounds differently, and the encoder's
# 8-bit arithmetic more so.
_PROBE_TOLERANCE = {"ngrams": 1e-4, "encoder": 0.05}

PROBES = (
    "Two drones struck the airbase before dawn, the ministry said, and a fuel depot burned for hours.",
    "At least 14 people were killed and 30 wounded, hospital officials said on Tuesday.",
    "If the siege is not lifted within three days, our fighters will set the whole port ablaze.",
    "The group's reliance on outside money explains why it has avoided an open break with the government.",
    "The national team won the final 3-1 in front of a full stadium.",
    "Général N’Guéma’s “Forces de l’Ouest” — some 1 200 men — hold Šibenik Street, Ma’rib’s governor said…",
)


def shipped_models() -> list[str]:
    """Return the names of the models that ship with the package."""
    return sorted(path.parent.name for path in _artifacts().glob(f"*/{MANIFEST_FILE}"))


def shipped_folder(name: str) -> Path:
    """Return the folder of a shipped model."""
    return _artifacts() / name


def _artifacts() -> Path:
    """Return where models ship: inside the wheel, or at the top of a clone."""
    here = Path(__file__).resolve().parent
    inside = here / "artifacts"
    return inside if inside.is_dir() else here.parents[1] / "artifacts"


def save_folder(model: Model, folder: str | Path, *, provenance: dict[str, Any] | None = None) -> None:
    """Write a model into a folder, which is made if need be; a model already there is replaced.

    Args:
        model: what to save.
        folder: where; its name becomes the model's.
        provenance: plain values to keep in the manifest, such as the hash of the corpus.
    """
    import joblib

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-") as scratch:
        new = Path(scratch)
        joblib.dump(_to_dict(model), new / MODEL_FILE)
        if isinstance(model, LinearModel) and isinstance(model.features, Encoder):
            (new / ENCODER_FILE).write_bytes(model.features.network)
            (new / TOKENIZER_FILE).write_text(model.features.tokenizer, "utf-8")
        files = sorted(new.iterdir())
        manifest = {
            "format": FORMAT,
            "files": {path.name: {"sha256": _sha256(path.read_bytes()), "size": path.stat().st_size} for path in files},
            "provenance": {
                "python": ".".join(map(str, sys.version_info[:2])),
                "packages": {name: metadata.version(name) for name in _PACKAGES},
                **(provenance or {}),
            },
        }
        (new / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
        _open(new, folder.name, folder.parent)  # what could not be opened again is not saved
        for path in [*files, new / MANIFEST_FILE]:
            shutil.move(path, folder / path.name)


def load_folder(folder: str | Path) -> Model:
    """Open a saved model.

    Raises:
        ModelRefused: if anything about its files is not as it must be; the message says what was expected, what
            came, and what to do.
    """
    folder = Path(folder)
    return _open(folder, folder.name, folder.parent)


def _open(folder: Path, name: str, beside: Path | None) -> Model:
    """Open the model in a folder; ``beside`` is where the parts of a cascade stand, None if it may not be one."""
    manifest = _read_manifest(folder)
    if manifest.get("format") not in list(_READERS):
        raise ModelRefused(
            f"{folder}: expected model format {' or '.join(map(str, _READERS))}, got {manifest.get('format')!r}; "
            "install the Paratype release that saved it, or train it anew"
        )
    reader = _READERS[manifest["format"]]
    data = _read_files(folder, manifest)
    content = _checked(folder, data)
    try:
        model = reader(name, beside, content, data)
    except (ModelRefused, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # what a library written in Rust calls a panic is no Exception
        raise ModelRefused(f"{folder}: {MODEL_FILE} does not hold a Paratype model: {error!r}") from error
    _check_probes(model, content, folder)
    return model


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest_bytes(folder: Path) -> bytes:
    """Return a model's manifest as it stands in its folder.

    Raises:
        ModelRefused: if there is none, or it is not a plain file of reasonable size.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise ModelRefused(
            f"{folder}: expected a model folder with a {MANIFEST_FILE}, found none; "
            "name a folder that `python -m training` or ParagraphClassifier.save wrote"
        )
    return _read(path, _MOST_MANIFEST_BYTES)


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST_FILE
    try:
        manifest = json.loads(manifest_bytes(folder))
        if not isinstance(manifest, dict) or not isinstance(manifest["files"], dict):
            raise ValueError("expected an object with 'files'")
        for entry in manifest["files"].values():
            if not isinstance(entry["sha256"], str) or not isinstance(entry["size"], int):
                raise ValueError("expected 'sha256' and 'size' of each file")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelRefused(f"{path}: not a model manifest: {error!r}") from error
    return manifest


def _read_files(folder: Path, manifest: dict[str, Any]) -> dict[str, bytes]:
    """Return the bytes of the files in the manifest, which are what is used from here on."""
    named = set(manifest["files"])
    if not {MODEL_FILE} <= named <= set(_MOST_BYTES):
        raise ModelRefused(
            f"{folder}: expected {MODEL_FILE} and no files but {sorted(_MOST_BYTES)} in the manifest, "
            f"got {sorted(named)}"
        )
    for name, entry in manifest["files"].items():
        if entry["size"] > _MOST_BYTES[name]:
            raise ModelRefused(f"{folder / name}: expected at most {_MOST_BYTES[name]} bytes, got {entry['size']}")
    data = {}
    for name, entry in manifest["files"].items():
        data[name] = _read(folder / name, _MOST_BYTES[name])
        if len(data[name]) != entry["size"] or _sha256(data[name]) != entry["sha256"]:
            raise ModelRefused(
                f"{folder / name}: the file is not the one in the manifest (sha256 or size differ); "
                "the model is damaged or was tampered with: fetch or train it again"
            )
    return data


# A link is not followed, and a pipe not waited for; Windows knows neither, and marks bytes instead.
_OPEN = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"))


def _read(path: Path, most: int) -> bytes:
    """Return the bytes of a plain file; what is checked is the file that was opened, not what has its name by then."""
    if path.is_symlink() or not path.is_file():
        raise ModelRefused(f"{path}: expected a plain file, found {'a link' if path.is_symlink() else 'none'}")
    try:
        with os.fdopen(os.open(path, _OPEN), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ModelRefused(f"{path}: expected a plain file, found none")
            if status.st_size > most:
                raise ModelRefused(f"{path}: expected at most {most} bytes, got {status.st_size}")
            return stream.read(status.st_size)
    except OSError as error:
        raise ModelRefused(f"{path}: cannot be read: {error.strerror or error}") from error


_CHECKS: dict[str, Callable[[bytes], Any]] = {
    MODEL_FILE: load_plain,
    ENCODER_FILE: check_network,
    TOKENIZER_FILE: check_tokenizer,
}


def _checked(folder: Path, data: dict[str, bytes]) -> dict[str, Any]:
    """Return what the model file holds, when all files hold nothing but what they may."""
    found = {}
    for name in sorted(data):
        try:
            found[name] = _CHECKS[name](data[name])
        except ModelRefused as refusal:
            raise ModelRefused(f"{folder / name}: {refusal}") from refusal
    content: dict[str, Any] = found[MODEL_FILE]
    return content


def _to_dict(model: Model) -> dict[str, Any]:
    if isinstance(model, Cascade):
        cascade = {"first": model.first.name, "second": model.second.name, "unsure_below": float(model.unsure_below)}
        return {"cascade": cascade, "probes": _probes(model)}
    if not isinstance(model, LinearModel):
        raise TypeError(f"expected a model that can be saved, got {type(model).__name__}")
    heads, decision = model.heads, model.decision
    return {
        "features": _features_to_dict(model.features),
        "heads": {
            "weights": heads.weights,
            "bias": heads.bias,
            "temperature": float(heads.temperature),
            "slope": heads.slope,
            "offset": heads.offset,
        },
        "decision": {
            "outcomes": list(decision.outcomes),
            "thresholds": [float(threshold) for threshold in decision.thresholds],
            "review_below": float(decision.review_below),
        },
        "probes": _probes(model),
    }


def _probes(model: Model) -> dict[str, Any]:
    return {"texts": list(PROBES), "probabilities": model.score(text_array(list(PROBES))).outcomes}


def _features_to_dict(features: Features) -> dict[str, Any]:
    if isinstance(features, NgramIndex):
        return {
            "kind": "ngrams",
            "vocabulary": "\n".join(features.vocabulary),
            "pair_bits": features.pair_bits,
        }
    if isinstance(features, Encoder):
        return {"kind": "encoder", "max_tokens": features.max_tokens}
    raise TypeError(f"expected features that can be saved, got {type(features).__name__}")


def _read_format_1(name: str, beside: Path | None, content: dict[str, Any], data: dict[str, bytes]) -> Model:
    return _cascade(name, beside, content["cascade"]) if "cascade" in content else _linear(name, content, data)


def _cascade(name: str, beside: Path | None, config: dict[str, Any]) -> Cascade:
    if beside is None:
        raise ValueError("expected a cascade of two models that are none themselves")
    parts = [config["first"], config["second"]]
    if not all(isinstance(part, str) and re.fullmatch(r"\w[\w.-]*", part) for part in parts):
        raise ValueError(f"expected the names of two models beside this one, got {parts}")
    if type(config["unsure_below"]) is not float:
        raise ValueError(f"expected unsure_below to be a float, got {config['unsure_below']!r}")
    for part in parts:
        if (beside / part).is_symlink():
            raise ValueError(f"expected the folders of two models beside this one, {part} is a link")
    first, second = (_open(beside / part, part, None) for part in parts)
    if first.decision.outcomes != second.decision.outcomes:
        raise ValueError(f"expected two models with the same outcomes, got {[first.decision, second.decision]}")
    return Cascade(name, first, second, config["unsure_below"])


def _linear(name: str, content: dict[str, Any], data: dict[str, bytes]) -> LinearModel:
    decision = Decision.from_config(content["decision"])
    features, columns = _features_from_dict(content["features"], data)
    heads = Heads(**content["heads"])
    types = len(decision.types)
    width = len(decision.outcomes) + types
    shapes = {"weights": (columns, width), "bias": (width,), "slope": (types,), "offset": (types,)}
    for field, shape in shapes.items():
        value = getattr(heads, field)
        if not isinstance(value, np.ndarray) or value.shape != shape:
            raise ValueError(f"expected {field} of shape {shape}, got {getattr(value, 'shape', type(value))}")
    if not isinstance(heads.temperature, float) or heads.temperature <= 0:
        raise ValueError(f"expected a temperature over 0, got {heads.temperature!r}")
    return LinearModel(name, features, heads, decision)


_READERS: dict[int, Callable[[str, Path | None, dict[str, Any], dict[str, bytes]], Model]] = {1: _read_format_1}


def _features_from_dict(config: dict[str, Any], data: dict[str, bytes]) -> tuple[Features, int]:
    if config["kind"] == "ngrams":
        if not 1 <= config["pair_bits"] <= 24:
            raise ValueError(f"expected pair_bits between 1 and 24, got {config['pair_bits']!r}")
        if config["vocabulary"].count("\n") >= _MOST_WORDS:  # each would take eight times its place in the file
            raise ValueError(f"expected at most {_MOST_WORDS} words")
        index = NgramIndex(tuple(config["vocabulary"].split("\n")), config["pair_bits"])
        return index, index.n_columns
    if config["kind"] == "encoder":
        max_tokens = config["max_tokens"]
        if type(max_tokens) is not int or max_tokens not in _TOKENS:
            raise ValueError(f"expected max_tokens from {_TOKENS[0]} to {_TOKENS[-1]}, got {max_tokens!r}")
        encoder = Encoder(data[ENCODER_FILE], data[TOKENIZER_FILE].decode("utf-8"), max_tokens=max_tokens)
        return encoder, encoder.dimensions
    raise ValueError(f"expected features of kind 'ngrams' or 'encoder', got {config['kind']!r}")


def _check_probes(model: Model, content: dict[str, Any], folder: Path) -> None:
    try:
        texts, expected = content["probes"]["texts"], content["probes"]["probabilities"]
        actual = model.score(text_array(texts)).outcomes
        off = float(np.abs(actual - expected).max())
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise ModelRefused(f"{folder}: its probe texts cannot be scored: {error!r}") from error
    tolerance = _PROBE_TOLERANCE[content["features"]["kind"] if "features" in content else "encoder"]
    if not off <= tolerance:
        raise ModelRefused(
            f"{folder}: expected its probe texts to come out within {tolerance} of the stored probabilities, "
            f"they are off by {off:.3g}; the model does not work on this machine as it did where it was saved"
        )
