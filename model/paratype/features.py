"""The scikit-learn transformers that are fitted with a classifier: word n-grams, or a sentence encoder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import block_diag, csr_matrix, diags, hstack
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils.validation import check_is_fitted

from paratype.encoder import Encoder
from paratype.model import Features, in_chunks
from paratype.ngrams import NgramIndex, text_array
from paratype.text import check_texts
from paratype.words import split

__all__ = ["EncoderFeatures", "NgramFeatures"]


class NgramFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Words, opening words, word pairs, and the character n-grams of words.

    All of it is additive per word or pair, so `transform` is the counts of `paratype.ngrams.NgramIndex` times
    a fixed matrix, and a linear head on it folds into one row of weights per word (`fold`).

    Args:
        min_df: keep words that stand in at least so many texts.
        pair_bits: base-2 logarithm of the size of the hashed table of word pairs.
        char_ngrams: shortest and longest character n-gram of words, or None for none.
        char_weight, lead_weight, pair_weight: how much these count beside words; the larger, the less a head's
            regularisation holds them back.
    """

    def __init__(
        self,
        *,
        min_df: int = 2,
        pair_bits: int = 17,
        char_ngrams: tuple[int, int] | None = (3, 5),
        char_weight: float = 1.0,
        lead_weight: float = 0.5,
        pair_weight: float = 0.5,
    ) -> None:
        self.min_df = min_df
        self.pair_bits = pair_bits
        self.char_ngrams = char_ngrams
        self.char_weight = char_weight
        self.lead_weight = lead_weight
        self.pair_weight = pair_weight

    def fit(self, X: Iterable[str], y: Any = None) -> NgramFeatures:
        """Learn the vocabulary and how rare each word is."""
        if not 1 <= self.pair_bits <= 24:
            raise ValueError(f"expected pair_bits between 1 and 24, got {self.pair_bits!r}")
        texts = text_array(check_texts(X))
        found = split(texts)
        rows = np.repeat(np.arange(len(texts)), np.diff(found.offsets))
        encoded = pc.dictionary_encode(found.strings())
        distinct = np.unique(np.stack([encoded.indices.to_numpy(), rows]), axis=1)[0]
        frequency = np.bincount(distinct, minlength=len(encoded.dictionary))
        kept = sorted(
            (word, int(count))
            for word, count in zip(encoded.dictionary.to_pylist(), frequency, strict=True)
            if count >= self.min_df
        )
        if not kept:
            raise ValueError(f"no word stands in at least min_df={self.min_df} of the {len(texts)} texts")
        self.index_ = NgramIndex(tuple(word for word, _ in kept), self.pair_bits)
        rarity = np.log((1 + len(texts)) / (1 + np.array([count for _, count in kept]))) + 1
        self.expansion_ = self._expansion(rarity)
        return self

    def _expansion(self, rarity: NDArray[np.float64]) -> csr_matrix:
        """Return the matrix (index columns, features) that weights counts and adds character n-grams."""
        word = diags(rarity)
        if self.char_ngrams is not None:
            grams = CountVectorizer(
                analyzer="char_wb", ngram_range=self.char_ngrams, lowercase=False, min_df=2
            ).fit_transform(self.index_.vocabulary)
            per_word = np.sqrt(np.maximum(grams.sum(axis=1).A1, 1))
            word = hstack([word, diags(self.char_weight * rarity / per_word) @ grams])
        lead = diags(self.lead_weight * rarity)
        pairs = diags(np.full(1 << self.pair_bits, self.pair_weight * rarity.mean()))
        return csr_matrix(block_diag([word, lead, pairs]), dtype=np.float32)

    def transform(self, X: Iterable[str]) -> csr_matrix:
        """Return a sparse float32 matrix, one row per text."""
        check_is_fitted(self, "index_")
        return self.index_.matrix(text_array(check_texts(X))) @ self.expansion_

    def fold(self, weights: NDArray[Any]) -> tuple[Features, NDArray[np.float32]]:
        """Return what a saved model keeps: the index, and head weights (features, columns) folded onto it."""
        return self.index_, np.asarray(self.expansion_ @ weights, dtype=np.float32)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


class EncoderFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Sentence vectors from a folder that holds ``encoder.onnx`` and ``tokenizer.json``.

    Args:
        folder: where the two files are.
        max_tokens: longest window read at a time; longer texts are read window by window.
    """

    def __init__(self, folder: str | Path, *, max_tokens: int = 192) -> None:
        self.folder = folder
        self.max_tokens = max_tokens

    def fit(self, X: Any = None, y: Any = None) -> EncoderFeatures:
        """Open the encoder; nothing is learnt from the texts."""
        self.encoder_ = Encoder.open(Path(self.folder), max_tokens=self.max_tokens)
        return self

    def transform(self, X: Iterable[str]) -> NDArray[np.float32]:
        """Return a dense float32 array, one row per text."""
        return in_chunks(self.encoder_.matrix, text_array(check_texts(X)), self.encoder_.chunk)

    def fold(self, weights: NDArray[Any]) -> tuple[Features, NDArray[np.float32]]:
        """Return what a saved model keeps: the encoder, and the head weights as they are."""
        return self.encoder_, np.asarray(weights, dtype=np.float32)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
