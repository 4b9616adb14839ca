"""A sentence encoder: ONNX weights and a tokenizer, mean pooling, no torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["ENCODER_FILE", "TOKENIZER_FILE", "Encoder"]

ENCODER_FILE = "encoder.onnx"
TOKENIZER_FILE = "tokenizer.json"

# Tokens (padding included) that go through the network at a time: enough to fill it, small enough for caches.
_TOKENS_PER_BATCH = 4096


class Encoder:
    """Turns texts into vectors.

    A text longer than ``max_tokens`` is read whole, window by window; its vector is the mean of the windows'
    vectors, weighted by their tokens.

    Args:
        network: the ONNX file's bytes; it takes ``input_ids`` and ``attention_mask`` of shape (texts, tokens) and
            gives mean-pooled vectors of shape (texts, dimensions).
        tokenizer: the tokenizer's JSON.
        max_tokens: longest window, its two special tokens included.
    """

    chunk = 1024

    def __init__(self, network: bytes, tokenizer: str, *, max_tokens: int) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.network = network
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        self._session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        self.dimensions = int(self._session.get_outputs()[0].shape[-1])
        self._tokenizer = Tokenizer.from_str(tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)

    @classmethod
    def open(cls, folder: Path, *, max_tokens: int) -> Encoder:
        """Read both files from a folder that is trusted; saved models are opened by `paratype.artifact`."""
        network = (folder / ENCODER_FILE).read_bytes()
        return cls(network, (folder / TOKENIZER_FILE).read_text("utf-8"), max_tokens=max_tokens)

    def matrix(self, texts: pa.Array) -> NDArray[np.float32]:
        """Return the vectors, float32 of shape (texts, dimensions)."""
        windows: list[list[int]] = []
        owners: list[int] = []
        for owner, encoding in enumerate(self._tokenizer.encode_batch(texts.to_pylist())):
            for window in [encoding, *encoding.overflowing]:
                windows.append(window.ids)
                owners.append(owner)
        lengths = np.array([len(window) for window in windows])
        vectors = np.zeros((len(windows), self.dimensions), np.float32)
        for rows in _batches(lengths):
            vectors[rows] = self._run([windows[row] for row in rows])
        weights = lengths / np.bincount(owners, lengths, minlength=len(texts))[owners]
        pooled = np.zeros((len(texts), self.dimensions), np.float32)
        np.add.at(pooled, owners, vectors * weights[:, None].astype(np.float32))
        return pooled

    def _run(self, windows: list[list[int]]) -> Any:
        longest = max(map(len, windows))
        ids = np.zeros((len(windows), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, window in enumerate(windows):
            ids[row, : len(window)] = window
            mask[row, : len(window)] = 1
        return self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]


def _batches(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield row numbers by falling length, so many at a time as `_TOKENS_PER_BATCH` allows."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, _TOKENS_PER_BATCH // int(lengths[order[start]]))
        yield order[start : start + size]
        start += size
