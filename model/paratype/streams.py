"""The standard streams, where they are closed or can no longer be written."""

from __future__ import annotations

import os
import sys
from typing import TextIO

__all__ = ["discard", "open_closed_streams"]

# The wrong way round, so that what is read from there, or written there as a result, fails; messages go nowhere.
_WAYS = {"stdin": (os.O_WRONLY, "r"), "stdout": (os.O_RDONLY, "w"), "stderr": (os.O_WRONLY, "w")}


def open_closed_streams() -> None:
    """Put something in the place of standard streams that are closed, lest a file of ours take their number."""
    for name, (way, mode) in _WAYS.items():
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, way)
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8"))


def discard(stream: TextIO) -> None:
    """Send what a stream still holds back nowhere; Python would try to write it at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
