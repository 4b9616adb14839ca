"""From the names of files to their bytes: opened, counted, decompressed piece by piece as they are taken."""

from __future__ import annotations

import gzip
import io
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, cast

__all__ = ["COMPRESSIONS", "STDIN", "SUFFIXES", "Failure", "open_chunks", "open_whole", "suffixes"]

STDIN = "-"

SUFFIXES = (".txt", ".md", ".html", ".htm", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
"""The kinds of file that are read, by suffix; one of `COMPRESSIONS` may stand after it."""

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
"""How a file is compressed, by its last suffix."""

_BYTES_PER_READ = 1 << 16
# What stands before a damaged place is lost up to so many bytes, since decompressors give a piece or an error.
_BYTES_PER_DECOMPRESSION = 1 << 13
# A file that must be read from its end is decompressed to a temporary file of at most so many bytes.
_MOST_DECOMPRESSED = 4 << 30


class Failure(Exception):
    """A whole input could not be read. The message says why and what to do."""


def suffixes(source: str) -> tuple[str, str]:
    """Return what the name of a file ends in, in small letters: the suffix of its format, and of its compression.

    Either is empty if there is none; ``rows.csv.gz`` gives ``.csv`` and ``.gz``.
    """
    path = Path(source.lower())
    packed = path.suffix if path.suffix in COMPRESSIONS else ""
    return (Path(path.stem) if packed else path).suffix, packed


@contextmanager
def open_chunks(source: str, on_bytes: Callable[[int], None]) -> Iterator[Iterator[bytes]]:
    """Give the bytes of a file, or of standard input for ``-``, in pieces, decompressed as they are taken.

    Args:
        source: the file's name.
        on_bytes: called with the number of bytes read from the file since the last call.

    Raises:
        OSError: if the file cannot be opened or read.
        Failure: while the pieces are taken, after those before the fault, if the compressed data are damaged.
    """
    with _open(source) as stream:
        _, packed = suffixes(source)
        counted = _Counted(stream, on_bytes)
        yield _decompressed(source, counted, packed) if packed else iter(lambda: counted.read(_BYTES_PER_READ), b"")


@contextmanager
def open_whole(source: str, on_bytes: Callable[[int], None]) -> Iterator[IO[bytes]]:
    """Give a file that can be read from any place; a compressed one is decompressed to a temporary file first.

    Raises:
        OSError: if the file cannot be opened or read.
        Failure: if the compressed data are damaged, or are more than 4 GB when decompressed.
    """
    if not suffixes(source)[1]:
        with Path(source).open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as whole, open_chunks(source, on_bytes) as chunks:
        for chunk in chunks:
            if whole.tell() + len(chunk) > _MOST_DECOMPRESSED:
                raise Failure(f"{source}: more than 4 GB when decompressed; decompress it yourself, and give that")
            whole.write(chunk)
        whole.seek(0)
        yield whole


def _open(source: str) -> AbstractContextManager[io.BufferedIOBase]:
    if source == STDIN:
        return nullcontext(cast(io.BufferedIOBase, sys.stdin.buffer))
    return Path(source).open("rb")


class _Counted(io.RawIOBase):
    """Tells how many bytes are read, and gives what there is at once, as a slow pipe needs."""

    def __init__(self, stream: io.BufferedIOBase, on_bytes: Callable[[int], None]) -> None:
        super().__init__()
        self._stream = stream
        self._on_bytes = on_bytes
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read1(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        self._on_bytes(len(data))
        return len(data)


def _decompressed(source: str, stream: _Counted, packed: str) -> Iterator[bytes]:
    read = _decompressor(stream, packed)
    try:
        while data := read(_BYTES_PER_DECOMPRESSION):
            yield data
        if not stream.count:
            raise EOFError("the file is empty")
    except (EOFError, OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno:  # the file, not what is in it
            raise
        raise Failure(
            f"{source}: the {COMPRESSIONS[packed]} data end early or are damaged: {error}; get or make the file anew, "
            f"or take {packed} off its name if it is not compressed"
        ) from error


def _decompressor(stream: _Counted, packed: str) -> Callable[[int], bytes]:
    if packed == ".gz":
        return gzip.GzipFile(fileobj=stream, mode="rb").read1
    import pyarrow as pa

    return cast(Callable[[int], bytes], pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd").read)
