"""From what the user names to files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from paratype.reading.sources import STDIN, SUFFIXES, suffixes

__all__ = ["find_files", "is_folder"]

_MANIFEST = ".run.json"  # what a run leaves beside its output


def find_files(inputs: Iterable[str]) -> Iterator[str]:
    """Yield the files that the inputs name, folders searched recursively, in sorted order.

    A file that is named itself is yielded whatever its suffix; one in a folder only if it is in `SUFFIXES`, perhaps
    with one of `COMPRESSIONS` after that, and neither it nor a folder above it is hidden. A file that is named in
    several ways is yielded once, as first named. A folder that cannot be searched, and a link to a file that is not
    there, are yielded as a file would be, so that they are named when they are read.
    """
    seen = set()
    for file in chain.from_iterable(map(_files, inputs)):
        identity = file if file == STDIN else os.path.realpath(file)
        if identity not in seen:
            seen.add(identity)
            yield file


def _files(name: str) -> Iterable[str]:
    return _searched(str(Path(name))) if name != STDIN and is_folder(name) else [name]


def is_folder(name: str) -> bool:
    """Return whether a name is that of a folder."""
    try:
        return Path(name).is_dir()
    except OSError:  # a text given in place of a file's name is too long for one
        return False


def _searched(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(
                (entry.name, entry.is_dir(follow_symlinks=False))
                for entry in entries
                if not entry.name.startswith(".")
                and not entry.name.endswith(_MANIFEST)
                and (entry.is_dir(follow_symlinks=False) or (suffixes(entry.name)[0] in SUFFIXES and _is_input(entry)))
            )
    except OSError:
        yield folder
        return
    for name, is_folder in found:
        path = os.path.join(folder, name) if folder != "." else name  # noqa: PTH118 (a million of them)
        if is_folder:
            yield from _searched(path)
        else:
            yield path


def _is_input(entry: os.DirEntry[str]) -> bool:
    """Whether this is a file, or a link that leads nowhere; pipes and devices in a folder would be waited for."""
    return entry.is_file() or (entry.is_symlink() and not os.path.exists(entry.path))  # noqa: PTH110
