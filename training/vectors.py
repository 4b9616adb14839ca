"""Vectors of texts, kept from one training to the next: the encoder stays, and so do they."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from paratype.encoder import ENCODER_FILE, TOKENIZER_FILE
from paratype.features import EncoderFeatures
from paratype.text import check_texts

__all__ = ["KeptVectors"]

_AT_A_TIME = 512


class KeptVectors(EncoderFeatures):
    """The encoder's vectors, computed once for each text and kept in a file with the texts' hashes.

    Args:
        folder: where the encoder is; see `EncoderFeatures`.
        file: where vectors are kept; those of another encoder are left aside.
        log: told how far it is.
    """

    def __init__(
        self, folder: str | Path, *, file: Path, log: Callable[[str], None] = print, max_tokens: int = 192
    ) -> None:
        super().__init__(folder, max_tokens=max_tokens)
        self.file = file
        self.log = log

    def transform(self, X: Iterable[str]) -> NDArray[np.float32]:
        """Return a dense float32 array, one row per text."""
        texts = check_texts(X)
        keys = [self._key(text) for text in texts]
        known = self._known()
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        for start in range(0, len(missing), _AT_A_TIME):
            some = list(missing)[start : start + _AT_A_TIME]
            known.update(zip(some, super().transform([missing[key] for key in some]), strict=True))
            self.log(f"  vectors: {start + len(some)} of {len(missing)} texts")
        if missing:
            self._keep(known)
        return np.array([known[key] for key in keys], np.float32).reshape(-1, self.encoder_.dimensions)

    def _key(self, text: str) -> bytes:
        encoded = text.encode("utf-8", "surrogatepass")
        return hashlib.sha256(self._encoder_hash() + encoded).digest()[:16]

    def _encoder_hash(self) -> bytes:
        if not hasattr(self, "encoder_hash_"):
            files = [(Path(self.folder) / name).read_bytes() for name in (ENCODER_FILE, TOKENIZER_FILE)]
            self.encoder_hash_ = hashlib.sha256(b"".join(files) + str(self.max_tokens).encode()).digest()
        return self.encoder_hash_

    def _known(self) -> dict[bytes, NDArray[np.float32]]:
        try:
            with self.file.open("rb") as stream, np.load(stream) as kept:
                keys, vectors = kept["keys"], kept["vectors"]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):  # none yet, or not whole: they are made anew
            return {}
        return dict(zip(map(bytes, keys), vectors, strict=True))

    def _keep(self, known: dict[bytes, NDArray[np.float32]]) -> None:
        unfinished = self.file.with_name(f".{self.file.name}.new")
        with unfinished.open("wb") as stream:
            keys = np.frombuffer(b"".join(known), np.uint8).reshape(-1, 16)
            np.savez(stream, keys=keys, vectors=np.array(list(known.values())))
        unfinished.replace(self.file)
