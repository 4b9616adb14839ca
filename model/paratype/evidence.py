"""Which sentence of a paragraph carries its label.

The model reads each sentence alone; the one that carries a type is that with the largest product of the probability
that it states the type and its length. Length stands for what the sentence weighs in the paragraph: the word model adds
up words, the encoder takes the mean over them. `eval/evidence.py` compares this with other rules and with readers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from paratype.columns import text_column
from paratype.sentences import sentences

__all__ = ["carrying_sentences"]

Span = tuple[int, int]


def carrying_sentences(
    texts: Sequence[str], types: NDArray[np.integer[Any]], states: Callable[[pa.Array], NDArray[np.floating[Any]]]
) -> list[Span | None]:
    """Return for each text where the sentence that carries its type starts and ends, in characters.

    A text of one sentence is that sentence; of sentences that carry it equally the first is taken.

    Args:
        texts: n texts.
        types: (n,) which of the types; -1 for none, which nothing carries.
        states: takes texts, and gives the probability that each states each type, shape (texts, types).
    """
    cut = [sentences(text) if kind >= 0 else [] for text, kind in zip(texts, types, strict=True)]
    counts = np.array([len(spans) if len(spans) > 1 else 0 for spans in cut], dtype=np.int64)
    several = [(text, spans) for text, spans in zip(texts, cut, strict=True) if len(spans) > 1]
    stated = states(text_column([text[start:end] for text, spans in several for start, end in spans]))
    lengths = np.array([end - start for _, spans in several for start, end in spans])
    weights = stated[np.arange(len(stated)), np.repeat(types, counts)] * lengths
    firsts = np.cumsum(counts) - counts
    chosen = [
        int(weights[first : first + count].argmax()) if count else 0
        for first, count in zip(firsts, counts, strict=True)
    ]
    return [spans[place] if spans else None for spans, place in zip(cut, chosen, strict=True)]
