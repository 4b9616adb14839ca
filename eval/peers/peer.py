"""One who takes part: how it is trained into a folder, and how it answers from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.answers import Answers
from paratype import LABELS

__all__ = ["Answerer", "Peer", "most_probable"]

Answerer = Callable[[Sequence[str]], Answers]


@dataclass(frozen=True)
class Peer:
    """One way to label paragraphs.

    Attributes:
        name: as in the table.
        fit: given rows, a folder and one of the settings, trains it and saves there all that it needs to answer.
        load: opens it from that folder.
        settings: what is tried; the one that is right most often on the development part of the real file is kept.
        packages: names of the distributions that it needs beyond Paratype's own.
        trains: whether `fit` trains; it may fetch what was trained before.
        note: how it is set and where that stands, in a sentence or two.
    """

    name: str
    fit: Callable[..., None]
    load: Callable[[Path], Answerer]
    settings: tuple[Mapping[str, Any], ...] = ({},)
    packages: tuple[str, ...] = ()
    trains: bool = True
    note: str = ""


def most_probable(probabilities: NDArray[np.floating[Any]], labels: Sequence[str] = LABELS) -> Answers:
    """Return the label with the highest of the probabilities, of shape (texts, labels), in each row."""
    place = probabilities.argmax(axis=1)
    return Answers(np.array(labels)[place], None, probabilities.max(axis=1).astype(float))
