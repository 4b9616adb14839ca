"""Files that are on the disk when we say so, and what is in them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

__all__ = ["compress", "copy_whole", "sha256_of", "sync_file", "sync_folder", "write_json"]


def sync_file(path: Path) -> None:
    """Return when the content of a file is on the disk.

    Raises:
        OSError: if it did not get there; whether it ever will cannot be found out by asking again.
    """
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Return when the names in a folder are on the disk, where a system can tell."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file that is on the disk as a whole, or still what it was before."""
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    sync_file(new)
    new.replace(path)
    sync_folder(path.parent)


def copy_whole(path: Path, to: Path) -> None:
    """Copy a file to a place, perhaps on another disk, where it is as a whole, or still what it was before."""
    new = to.with_name(f".{to.name}.new")
    shutil.copyfile(path, new)
    sync_file(new)
    new.replace(to)
    sync_folder(to.parent)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()


def compress(path: Path, to: Path, method: str) -> None:
    """Write what a file holds to another, compressed by ``gzip`` or ``zstd``; equal content gives equal bytes."""
    import pyarrow as pa

    with path.open("rb") as plain, pa.output_stream(str(to), compression=method) as compressed:
        shutil.copyfileobj(plain, compressed, 1 << 20)
