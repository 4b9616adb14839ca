"""Changes to texts that should not change what a paragraph does."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["CHANGES"]

# A capitalised word that does not open a sentence: mostly a name.
_NAME = re.compile(r"(?<=[\w,;)\"'’] )[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def _mask_names(text: str) -> str:
    """Replace names by one made-up name; text all in capitals, where names cannot be told, is left alone."""
    return text if text.isupper() else _NAME.sub("Xanadu", text)


CHANGES: dict[str, Callable[[str], str]] = {
    "names masked": _mask_names,
    "numbers masked": lambda text: _NUMBER.sub("7", text),
    "upper case": str.upper,
    "lower case": str.lower,
    "no punctuation": lambda text: " ".join(re.sub(r"[^\w\s]", " ", text).split()),
}
"""Changes by name; each takes a text and returns one."""
