"""How large what is read may be; what is larger ends in an error and not in memory."""

from __future__ import annotations

__all__ = ["LONGEST_DOCUMENT", "LONGEST_TEXT", "MOST_BLANK_LINES", "MOST_LINES", "too_long"]

LONGEST_TEXT = 256 << 20
"""Of one text, in characters."""

LONGEST_DOCUMENT = 512 << 20
"""Of a document, in characters, and in bytes when it is decompressed."""

MOST_LINES = 10_000_000
"""Of a document, since each takes memory beside its characters."""

MOST_BLANK_LINES = 1_000_000
"""Of standard input, before what tells JSON lines from text."""


def too_long(most: int) -> str:
    """Return what to say of a thing that is over a limit, given in bytes or characters."""
    return f"more than {most >> 20} MB"
