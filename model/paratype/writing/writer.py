"""What all writers of labelled rows have in common."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from paratype.batch import Labelled

__all__ = ["Writer"]


class Writer(ABC):
    """Takes labelled rows, some at a time. In a ``with`` statement, it lets go of its files at the end.

    All that it has taken is in its files once they are flushed: another one goes on with the same files, if they are
    cut back to what they held after some `write` and `flush`.

    Args:
        stream: where to write; Parquet goes to the bytes under it.
        folder: where to hold rows back until the last has come; None for files that go with the process.
        text_column: where a record has its text, if not under ``text``; for those who show it apart.
        raw: whether cells that a spreadsheet would take for a formula are left as they are.
    """

    def __init__(
        self, stream: TextIO, folder: Path | None = None, *, text_column: str = "text", raw: bool = False
    ) -> None:
        self._stream = stream
        self._folder = folder
        self._text_column = text_column
        self._raw = raw
        self._files: list[IO[bytes]] = []

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *failure: object) -> None:
        for file in self._files:
            with suppress(OSError):  # from what was never flushed, after an error that says the same
                file.close()

    @abstractmethod
    def write(self, labelled: Labelled) -> None:
        """Write some rows, or hold them back."""

    def flush(self) -> None:
        """Hand on what was taken so far to the operating system."""
        self._stream.flush()

    def close(self) -> None:  # noqa: B027 (most hold nothing back)
        """Write what was held back, if anything."""

    def _held_back(self, name: str) -> IO[bytes]:
        """Return a file for rows that wait; what is written goes to its end."""
        file = tempfile.TemporaryFile() if self._folder is None else (self._folder / name).open("a+b")  # noqa: SIM115
        self._files.append(file)
        return file
