"""From texts to their words, straight from Arrow buffers: folded, parted, and found in a vocabulary.

Letters are lower-cased, digits become ``0``, accents are dropped, and all else parts words. The work is done by a
handful of calls over whole buffers (`bytes.translate`, numpy), none of them per text or per word in Python; only runs
of characters beyond ASCII, signs apart, are looked at one by one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from paratype.columns import numpy_column, text_column

__all__ = ["MULTIPLIER", "Vocabulary", "Words", "split"]

_SPACE = ord(" ")
# Lower-case letters, "0" for every digit, a space for everything else in ASCII; other bytes stay.
_FOLD = bytes(
    ord("0") if chr(byte).isdigit() else ord(chr(byte).lower()) if chr(byte).isalpha() else _SPACE
    for byte in range(128)
) + bytes(range(128, 256))
# Of the characters U+0080 to U+00BF, by their second byte, all but ª ² ³ µ ¹ º ¼ ½ ¾.
_LATIN_SIGN = ~np.isin(np.arange(256), [0xAA, 0xB2, 0xB3, 0xB5, 0xB9, 0xBA, 0xBC, 0xBD, 0xBE])
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")

# Words are told apart by their first so many bytes, taken as numbers of eight bytes each; the first 8 of them are all
# there is to nearly every word, so that no two of those are ever mistaken for one another.
_BLOCKS = 4
_MASKS = np.array([(1 << 8 * length) - 1 for length in range(9)], np.uint64)
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""Of Fibonacci hashing: the odd number nearest to 2**64 divided by the golden ratio."""


@dataclass(frozen=True)
class Words:
    """The m words of n texts.

    Attributes:
        data: the texts, folded, one after the other.
        starts, lengths: (m,) where in the data each word stands, in bytes.
        offsets: (n + 1,) which word is the first of each text; the last is m.
    """

    data: bytes
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def strings(self) -> pa.Array:
        """Return the words as an Arrow column."""
        letters = np.frombuffer(self.data, np.uint8)
        ends = np.concatenate([[0], np.cumsum(self.lengths)])
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(letters[letters != _SPACE])]
        return pa.Array.from_buffers(pa.large_string(), len(self.starts), buffers)

    def keys(self) -> NDArray[np.uint64]:
        """Return a number for each word: of up to 8 bytes the bytes themselves, of longer ones a hash."""
        padded = self.data + bytes(8 * _BLOCKS)
        at = np.ndarray((len(self.data) + 8 * (_BLOCKS - 1) + 1,), "<u8", padded, strides=(1,))
        keys = at[self.starts] & _MASKS[np.minimum(self.lengths, 8)]
        for block in range(1, _BLOCKS):
            longer = np.flatnonzero(self.lengths > 8 * block)
            rest = at[self.starts[longer] + 8 * block] & _MASKS[np.minimum(self.lengths[longer] - 8 * block, 8)]
            keys[longer] = (keys[longer] ^ keys[longer] >> np.uint64(29)) * MULTIPLIER + rest
        return keys


def split(texts: pa.Array) -> Words:
    """Fold texts (large strings without nulls) and part them into words."""
    texts = pa.concat_arrays([texts])  # so that offsets start at 0 and the buffer holds these texts alone
    _, ends, folded = _fold_beyond_ascii(_blank_signs(texts)).buffers()
    data = (folded.to_pybytes() if folded else b"").translate(_FOLD)
    bounds = np.frombuffer(ends, np.int64)[: len(texts) + 1]
    is_letter = np.zeros(len(data) + 2, np.bool_)  # with what is no letter at both ends
    np.not_equal(np.frombuffer(data, np.uint8), _SPACE, out=is_letter[1:-1])
    edges = np.flatnonzero(is_letter[1:] != is_letter[:-1])
    # Where a text ends in a word and the next one starts with one, nothing else parts the two.
    between = np.unique(bounds)
    between = between[is_letter[between] & is_letter[between + 1]]
    if between.size:
        edges = np.insert(edges, np.searchsorted(edges, between).repeat(2), between.repeat(2))
    starts, stops = np.ascontiguousarray(edges.reshape(-1, 2).T)
    return Words(data, starts, stops - starts, np.searchsorted(starts, bounds).astype(np.int64))


def _blank_signs(texts: pa.Array) -> pa.Array:
    """Put spaces for the quotes, dashes and signs of Unicode's blocks Latin-1 and General Punctuation.

    `_fold_beyond_ascii` would, too; but most text that is not ASCII has only these, and this is quicker.
    """
    _, offsets, data = texts.buffers()
    signs = np.frombuffer(data or b"", np.uint8).copy()
    in_latin = np.flatnonzero(signs == 0xC2)
    in_latin = in_latin[_LATIN_SIGN[signs[in_latin + 1]]]
    in_general = np.flatnonzero(signs == 0xE2)
    block = signs[in_general + 1].astype(np.uint16) << 8 | signs[in_general + 2]
    in_general = in_general[(block >= 0x8080) & (block < 0x81B0)]
    for start, length in ((in_latin, 2), (in_general, 3)):
        for place in range(length):
            signs[start + place] = _SPACE
    return pa.Array.from_buffers(pa.large_string(), len(texts), [None, offsets, pa.py_buffer(signs)])


def _fold_beyond_ascii(texts: pa.Array) -> pa.Array:
    """Fold the characters beyond ASCII in the texts that have any."""
    plain = np.from_dlpack(pc.string_is_ascii(texts).cast(pa.uint8())) == 1
    if plain.all():
        return texts
    others = numpy_column(~plain)
    folded = [_BEYOND_ASCII.sub(_folded, text) for text in texts.filter(others).to_pylist()]
    return pa.concat_arrays([pc.replace_with_mask(texts, others, text_column(folded))])


def _folded(run: re.Match[str]) -> str:
    return run[0].translate(_FOLDING)


class _Folding(dict[int, str]):
    """What each character beyond ASCII is folded to: decomposed, without accents, a space if no letter or digit."""

    def __missing__(self, code: int) -> str:
        parts = unicodedata.normalize("NFKD", chr(code))
        kept = "".join(part.lower() for part in parts if unicodedata.category(part) != "Mn")
        folded = "".join(part if part.isascii() or unicodedata.category(part)[0] in "LN" else " " for part in kept)
        if len(self) < _MOST_FOLDINGS:
            self[code] = folded
        return folded


# More than any text has, less than a hostile one could fill the memory with.
_MOST_FOLDINGS = 1 << 16
_FOLDING = _Folding()


class Vocabulary:
    """Finds words in a list of words, many at a time.

    Each word stands in a table at a place that its key gives; those whose place is taken stand in a smaller table, and
    so on.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._size = len(words)
        keys = split(text_column(words)).keys()
        if len(keys) != len(words) or len(np.unique(keys)) != len(keys):
            raise ValueError("expected folded words, each once")
        self._tables: list[tuple[int, NDArray[np.uint64], NDArray[np.int32]]] = []
        left, bits = np.arange(len(words), dtype=np.int32), max(8, len(words).bit_length() + 2)
        while left.size or not self._tables:
            slots = _slots(keys[left], len(self._tables), bits)
            taken, first = np.unique(slots, return_index=True)
            table_keys, places = np.zeros(1 << bits, np.uint64), np.full(1 << bits, self._size, np.int32)
            table_keys[taken], places[taken] = keys[left[first]], left[first]
            self._tables.append((bits, table_keys, places))
            left, bits = np.delete(left, first), max(8, bits - 2)

    def places(self, words: Words) -> NDArray[np.int32]:
        """Return where in the list each word stands, the length of the list for a word that is not there."""
        sought = words.keys()
        places, missing = self._look_up(0, sought)
        where = np.flatnonzero(missing)
        for level in range(1, len(self._tables)):
            found, missing = self._look_up(level, sought[where])
            places[where] = found
            where = where[missing]
        return places

    def _look_up(self, level: int, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Return the places of the keys that one of the tables has, and which ones it has not."""
        bits, table_keys, table_places = self._tables[level]
        slots = _slots(keys, level, bits)
        missing = table_keys[slots] != keys
        places = table_places[slots]
        places[missing] = self._size
        return places, missing


def _slots(keys: NDArray[np.uint64], level: int, bits: int) -> NDArray[np.int64]:
    multiplier = np.array(MULTIPLIER) * np.uint64(2 * level + 1)
    return ((keys * multiplier) >> np.uint64(64 - bits)).astype(np.int64)
