"""One process at a time in a folder: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["Locked", "locked_folder"]

_LOCK_FILE = "lock"

# What a file system says that has no locks. Runs there are not kept apart: better that than to write nothing.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}

if sys.platform == "win32":
    import msvcrt

    _HELD = (errno.EACCES, errno.EDEADLK)

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    _HELD = (errno.EWOULDBLOCK, errno.EACCES)

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Locked(Exception):
    """Another process is in the folder. The message says which, if that is known."""


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold a folder for this process alone; it is made if need be, and removed at the end if nothing else is in it.

    Raises:
        Locked: if another process holds it.
        OSError: if it cannot be made.
    """
    descriptor = _acquire(folder)
    try:
        yield
    finally:
        if os.listdir(folder) == [_LOCK_FILE]:  # noqa: PTH208
            # Taken away while it is held: who opens it now finds it gone, or makes another.
            with suppress(OSError):
                (folder / _LOCK_FILE).unlink()
        os.close(descriptor)
        with suppress(OSError):
            folder.rmdir()


def _acquire(folder: Path) -> int:
    path = folder / _LOCK_FILE
    while True:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:  # the process that held the folder has just removed it
            continue
        try:
            _lock(descriptor)
            if _is(path, descriptor):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, str(os.getpid()).encode())
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        _try_lock(descriptor)
    except OSError as error:
        if error.errno in _HELD:
            holder = ""
            with suppress(OSError):
                holder = os.read(descriptor, 20).decode("ascii", "replace")
            raise Locked(f"process {holder}" if holder.isdigit() else "another process") from error
        if error.errno not in _NO_LOCKS:
            raise


def _is(path: Path, descriptor: int) -> bool:
    """Return whether the open file is the one that goes by the path, and not one that was removed."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
