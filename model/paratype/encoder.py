"""A sentence encoder: ONNX weights and a tokenizer, mean pooling, no torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["ENCODER_FILE", "TOKENIZER_FILE", "Encoder"]

ENCODER_FILE = "encoder.onnx"
TOKENIZER_FILE = "tokenizer.json"


class Encoder:
    """Turns texts into vectors.

    Texts go through the network one at a time: nothing is spent on padding, it is as fast as batches (the matrices
    are large enough), and a text's vector does not depend on its neighbours, which with 8-bit arithmetic over a
    batch it would. A text longer than ``max_tokens`` is read whole, window by window; its vector is the mean of the
    windows' vectors, weighted by their tokens.

    Args:
        network: the ONNX file's bytes; it takes ``input_ids`` and ``attention_mask`` of shape (texts, tokens) and
            gives mean-pooled vectors of shape (texts, dimensions).
        tokenizer: the tokenizer's JSON.
        max_tokens: longest window, its two special tokens included.
    """

    chunk = 32

    def __init__(self, network: bytes, tokenizer: str, *, max_tokens: int) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
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
        vectors = [self._vector(self._tokenizer.encode(text)) for text in texts.to_pylist()]
        return np.array(vectors, np.float32).reshape(-1, self.dimensions)

    def scorer(self, weights: NDArray[np.floating[Any]]) -> Callable[[pa.Array], NDArray[np.floating[Any]]]:
        """Return a function that gives the product of `matrix` and the weights."""
        return lambda texts: self.matrix(texts) @ weights

    def _vector(self, encoding: Any) -> NDArray[np.float32]:
        windows = [encoding, *encoding.overflowing]
        vectors = [self._run(window.ids) for window in windows]
        mean: NDArray[np.float32] = np.average(vectors, axis=0, weights=[len(window.ids) for window in windows])
        return mean

    def _run(self, ids: list[int]) -> Any:
        tokens = np.array([ids])
        return self._session.run(None, {"input_ids": tokens, "attention_mask": np.ones_like(tokens)})[0][0]
