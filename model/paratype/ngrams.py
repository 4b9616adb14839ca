"""Counts of words and word pairs.

A text becomes one sparse row over three tables: the words of a vocabulary, the same vocabulary again for the
text's first words (what a paragraph opens with tells its point), and word pairs hashed into a table of fixed
size. Every count is divided by the square root of the text's word count, so that long and short texts weigh
alike. All of it goes by calls over whole arrays, none per text or per word in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from paratype.columns import text_column
from paratype.words import MULTIPLIER, Vocabulary, split

__all__ = ["LEAD_WORDS", "Counted", "NgramIndex", "text_array"]

LEAD_WORDS = 12
"""How many words at the head of a text count as its opening."""


def text_array(texts: Any) -> pa.Array:
    """Return texts (a sequence of str, or any Arrow string array) as one Arrow array of large strings without nulls.

    Lone surrogates, which have no place in UTF-8, become question marks.
    """
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    if not isinstance(texts, pa.Array):
        return text_column(texts)
    texts = texts.cast(pa.large_string())
    return texts.fill_null("") if texts.null_count else texts


class Counted(NamedTuple):
    """Something that counts in a text.

    Attributes:
        position: which word of the text it is, or which one is the first of the pair, from 0.
        kind: ``word``, ``opening`` (a word once more, as one of the text's first) or ``pair``.
        feature: the word or words, as `words` folds them.
        column: where it counts in `NgramIndex.matrix`.
    """

    position: int
    kind: str
    feature: str
    column: int


@dataclass(frozen=True)
class NgramIndex:
    """Where each word and word pair stands in the tables.

    Attributes:
        vocabulary: the words, as `words` folds them, sorted.
        pair_bits: base-2 logarithm of the size of the pair table.
        chunk: how many texts to take at a time; bounds the memory, and keeps the work in the processor's cache.
    """

    vocabulary: tuple[str, ...]
    pair_bits: int
    chunk: int = 4096

    @property
    def n_columns(self) -> int:
        """Columns of `matrix`: words, opening words, pairs."""
        return 2 * len(self.vocabulary) + (1 << self.pair_bits)

    def matrix(self, texts: pa.Array) -> csr_matrix:
        """Return the scaled counts, a float32 matrix of shape (texts, `n_columns`).

        Words outside the vocabulary count in no table, but part the pairs around them.
        """
        slots = self._slots(texts)
        return csr_matrix(diags(_scale(slots @ self._is_known)) @ (slots @ self._columns), dtype=np.float32)

    def scorer(self, weights: NDArray[np.floating[Any]]) -> Callable[[pa.Array], NDArray[np.float32]]:
        """Return a function that gives the product of `matrix` and the weights without making the matrix."""
        table = np.column_stack([self._columns @ weights, self._is_known]).astype(np.float32)

        def product(texts: pa.Array) -> NDArray[np.float32]:
            sums: NDArray[np.float32] = self._slots(texts) @ table
            return sums[:, :-1] * _scale(sums[:, -1])[:, None]

        return product

    def counted(self, text: str) -> list[Counted]:
        """Return all that counts in a text, in the order of its words; a word that stands there twice comes twice."""
        size, found = len(self.vocabulary), []
        slots = self._slots(text_array([text])).indices.reshape(-1, 2)
        places = np.where(slots[:, 0] > size, slots[:, 0] - size - 1, slots[:, 0]).tolist()
        for position, (word, pair) in enumerate(slots.tolist()):
            place, hashed = places[position], pair - 2 * (size + 1)
            if place < size:
                name = self.vocabulary[place]
                found.append(Counted(position, "word", name, place))
                if word > size:
                    found.append(Counted(position, "opening", name, size + place))
            if hashed < 1 << self.pair_bits:
                both = f"{self.vocabulary[place]} {self.vocabulary[places[position + 1]]}"
                found.append(Counted(position, "pair", both, 2 * size + hashed))
        return found

    def _slots(self, texts: pa.Array) -> csr_matrix:
        """Return the plain counts over slots, of shape (texts, slots): two entries for each word, not added up.

        The slots are the words and one for any other word, the same again for words of the opening, and the pairs
        and one for no pair. Slots for what is not counted keep every row as long as its text, so that nothing has
        to be filtered.
        """
        words = split(texts)
        ids, offsets = self._vocabulary.places(words), words.offsets
        other, no_pair = len(self.vocabulary), 1 << self.pair_bits
        entries = np.empty((len(ids), 2), np.int32)
        entries[:, 0] = ids
        positions = offsets[:-1, None] + np.arange(LEAD_WORDS)
        entries[positions[positions < offsets[1:, None]], 0] += other + 1
        pairs = entries[:, 1]
        pairs[:-1] = _hash_pairs(ids[:-1], ids[1:], self.pair_bits)
        unknown = ids == other
        pairs[unknown] = no_pair
        pairs[:-1][unknown[1:]] = no_pair
        last = offsets[1:][offsets[1:] > offsets[:-1]] - 1
        pairs[last] = no_pair
        pairs += 2 * (other + 1)
        counts = np.ones(entries.size, np.float32)
        return csr_matrix((counts, entries.ravel(), 2 * offsets), shape=(len(texts), len(self._is_known)))

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self.vocabulary)

    @cached_property
    def _columns(self) -> csr_matrix:
        """Say in which columns of `matrix` a slot counts, shape (slots, `n_columns`); an opening word in two."""
        size = len(self.vocabulary)
        word, pair = np.arange(size), np.arange(1 << self.pair_bits)
        slots = np.concatenate([word, word + size + 1, word + size + 1, pair + 2 * (size + 1)])
        columns = np.concatenate([word, word, word + size, pair + 2 * size])
        return csr_matrix((np.ones(len(slots), np.float32), (slots, columns)), (self.n_columns + 3, self.n_columns))

    @cached_property
    def _is_known(self) -> NDArray[np.float32]:
        """Say of each slot whether it is a word of the vocabulary."""
        size = len(self.vocabulary)
        known = np.zeros(self.n_columns + 3, np.float32)
        known[:size] = known[size + 1 : 2 * size + 1] = 1
        return known


def _scale(known_words: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.reciprocal(np.sqrt(np.maximum(known_words, 1)))


def _hash_pairs(first: NDArray[np.int32], second: NDArray[np.int32], bits: int) -> NDArray[np.uint64]:
    mixed = first.astype(np.uint64)
    mixed <<= np.uint64(32)
    mixed |= second.astype(np.uint64)
    mixed *= MULTIPLIER
    mixed >>= np.uint64(64 - bits)
    return mixed
