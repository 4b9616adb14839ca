"""What a run and one that goes on with it must have in common: the settings, and what stands in the inputs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from paratype.artifact import manifest_bytes, shipped_folder, shipped_models
from paratype.model import Cascade, Model
from paratype.reading import STDIN
from paratype.runs.durable import sha256_of

__all__ = ["Inputs", "differences", "model_hash", "versions"]

# The packages on which the bytes of an output hang, beside our own.
_PACKAGES = (
    "charset-normalizer",
    "numpy",
    "onnxruntime",
    "paratype",
    "pyarrow",
    "scipy",
    "tokenizers",
    "trafilatura",
)


class Inputs:
    """The content of the inputs of a run, read once at its beginning.

    Attributes:
        fingerprints: for each input its name, size in bytes and SHA-256; both None for what could not be read.
        repeatable: whether all of them can be read a second time: standard input and pipes cannot.
    """

    def __init__(self, sources: Iterable[str]) -> None:
        self._sources = list(sources)
        self.repeatable = all(map(_is_repeatable, self._sources))
        # Sizes and times first: what changes from here on is told by `changed`.
        self._states = [_state(source) for source in self._sources]
        self.fingerprints = [_fingerprint(source) for source in self._sources]

    def changed(self) -> list[str]:
        """Return the inputs that are not what they were, by size, time and place on the disk."""
        return [source for source, state in zip(self._sources, self._states, strict=True) if _state(source) != state]


def _is_repeatable(source: str) -> bool:
    # os.path raises no error for a text that cannot be a name.
    plain = os.path.isfile(source) or os.path.isdir(source) or not os.path.exists(source)  # noqa: PTH110, PTH112, PTH113
    return plain and source != STDIN


def _state(source: str) -> tuple[int, int, int] | None:
    try:
        found = Path(source).stat()
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _fingerprint(source: str) -> dict[str, Any]:
    unknown = {"source": source, "bytes": None, "sha256": None}
    if not os.path.isfile(source):  # noqa: PTH113 (as above)
        return unknown
    try:
        return {"source": source, "bytes": Path(source).stat().st_size, "sha256": sha256_of(Path(source))}
    except OSError:
        return unknown


def model_hash(name: str, model: Model) -> str:
    """Return the SHA-256 of a model's manifest, which has those of its files; of a cascade's, all three together."""
    folder = shipped_folder(name) if name in shipped_models() else Path(name).resolve()
    parts = [model.first.name, model.second.name] if isinstance(model, Cascade) else []
    manifests = [manifest_bytes(part) for part in (folder, *(folder.parent / part for part in parts))]
    return hashlib.sha256(b"".join(manifests)).hexdigest()


def versions() -> dict[str, str | None]:
    """Return the versions of the packages that decide what the bytes of an output are; None for one that is missing."""
    return {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield what differs between two runs' ``settings`` and ``inputs``, in words."""
    for key in {**then["settings"], **now["settings"]}:
        was, come = then["settings"].get(key), now["settings"].get(key)
        if was != come:
            yield f"{key} was {_short(was)}, is {_short(come)}"
    before = {entry["source"]: entry for entry in then["inputs"]}
    after = {entry["source"]: entry for entry in now["inputs"]}
    for source in {**before, **after}:
        if source not in after:
            yield f"{source} is no longer among the inputs"
        elif source not in before:
            yield f"{source} is new among the inputs"
        elif before[source] != after[source]:
            yield f"{source} has changed"
    if before == after and [*before] != [*after]:
        yield "the inputs come in another order"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 20 else text[:12] + "…"
