"""Counts of words and word pairs, straight from Arrow buffers.

A text becomes one sparse row over three tables: the words of a vocabulary, the same vocabulary again for the
text's first words (what a paragraph opens with tells its point), and word pairs hashed into a table of fixed
size. Every count is divided by the square root of the text's word count, so that long and short texts weigh
alike. The work is done by a handful of calls over whole buffers (`bytes.translate`, Arrow's
``ascii_split_whitespace`` and ``index_in``, numpy), none of them per text or per word in Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

__all__ = ["LEAD_WORDS", "NgramIndex", "text_array", "words"]

LEAD_WORDS = 12
"""How many words at the head of a text count as its opening."""

# Lower-case letters, "0" for every digit, a space for everything else in ASCII; other bytes stay.
_FOLD = bytes(
    ord("0") if chr(byte).isdigit() else ord(chr(byte).lower()) if chr(byte).isalpha() else ord(" ")
    for byte in range(128)
) + bytes(range(128, 256))
# Fibonacci hashing: the odd number nearest to 2**64 divided by the golden ratio.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def text_array(texts: Any) -> pa.Array:
    """Return texts (a sequence of str, or any Arrow string array) as one Arrow array without nulls.

    Lone surrogates, which have no place in UTF-8, become question marks.
    """
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    if not isinstance(texts, pa.Array):
        try:
            texts = pa.array(texts, pa.large_string())
        except UnicodeEncodeError:
            texts = pa.array([text.encode("utf-8", "replace").decode() for text in texts], pa.large_string())
    return texts.cast(pa.large_string()).fill_null("")


def words(texts: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """Split texts into folded words.

    Letters are lower-cased, digits become ``0``, accents are dropped, and all else parts words.

    Returns:
        All words of all texts in order (a few of them empty, where a text began or ended with a separator),
        and the offsets of each text's words in them (one more than there are texts).
    """
    buffers = _fold_beyond_ascii(texts).buffers()
    data = pa.py_buffer(buffers[2].to_pybytes().translate(_FOLD)) if buffers[2] else pa.py_buffer(b"")
    folded = pa.Array.from_buffers(pa.large_string(), len(texts), [None, buffers[1], data])
    split = pc.ascii_split_whitespace(folded)
    return split.values, split.offsets.to_numpy().astype(np.int64)


def _fold_beyond_ascii(texts: pa.Array) -> pa.Array:
    """Decompose characters, drop accents, and put spaces for what is neither letter nor digit."""
    texts = pa.concat_arrays([texts])  # so that offsets start at 0 and the buffer holds these texts alone
    plain = pc.string_is_ascii(texts)
    if pc.all(plain).as_py():
        return texts
    other = pc.invert(plain)
    folded = pc.utf8_normalize(texts.filter(other), "NFKD")
    folded = pc.replace_substring_regex(folded, r"\p{Mn}+", "")
    folded = pc.utf8_lower(pc.replace_substring_regex(folded, r"[^\p{L}\p{N}\x00-\x7f]", " "))
    return pa.concat_arrays([pc.replace_with_mask(texts, other, folded)])


@dataclass(frozen=True)
class NgramIndex:
    """Where each word and word pair stands in the tables.

    Attributes:
        vocabulary: the words, as `words` folds them, sorted.
        pair_bits: base-2 logarithm of the size of the pair table.
        chunk: how many texts to take at a time; bounds the memory that `matrix` needs.
    """

    vocabulary: tuple[str, ...]
    pair_bits: int
    chunk: int = 8192

    @property
    def n_columns(self) -> int:
        """Columns of `matrix`: words, opening words, pairs."""
        return 2 * len(self.vocabulary) + (1 << self.pair_bits)

    @cached_property
    def _vocabulary(self) -> pa.Array:
        return pa.array(self.vocabulary, pa.large_string())

    def matrix(self, texts: pa.Array) -> csr_matrix:
        """Return the scaled counts, a float32 matrix of shape (texts, `n_columns`).

        An entry may be stored in several parts, which sparse products add up. Words outside the vocabulary
        count in no table, but part the pairs around them.
        """
        size = len(self.vocabulary)
        tokens, offsets = words(texts)
        ids = pc.index_in(tokens, value_set=self._vocabulary).fill_null(-1).to_numpy().astype(np.int64)
        rows = np.repeat(np.arange(len(texts)), np.diff(offsets))
        place = np.arange(len(ids)) - offsets[:-1][rows]
        known = ids >= 0
        opening = known & (place < LEAD_WORDS)
        paired = known[1:] & known[:-1] & (rows[1:] == rows[:-1])

        pairs = _hash_pairs(ids[:-1][paired], ids[1:][paired], self.pair_bits) + 2 * size
        # One slot per word for each table, in reading order; empty slots are dropped by the mask.
        columns = np.full((len(ids), 3), -1, dtype=np.int64)
        columns[known, 0] = ids[known]
        columns[opening, 1] = ids[opening] + size
        columns[:-1][paired, 2] = pairs
        used = columns >= 0
        per_text = np.bincount(rows, weights=used.sum(axis=1), minlength=len(texts)).astype(np.int64)
        indptr = np.concatenate([[0], np.cumsum(per_text)])
        scale = 1 / np.sqrt(np.maximum(np.bincount(rows[known], minlength=len(texts)), 1))
        data = np.repeat(scale.astype(np.float32), per_text)
        return csr_matrix((data, columns[used], indptr), shape=(len(texts), self.n_columns))


def _hash_pairs(first: NDArray[np.int64], second: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    mixed = (first.astype(np.uint64) << np.uint64(32) | second.astype(np.uint64)) * _MULTIPLIER
    return (mixed >> np.uint64(64 - bits)).astype(np.int64)
