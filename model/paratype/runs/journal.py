"""What a run has written so far, kept beside its output, so that a run that was killed can go on.

A run that writes NAME has a folder ``.NAME.journal`` until it is done:

- ``lock`` is held by the run that is at work (`paratype.runs.lock`);
- ``rows/`` has the partial output, and what is held back until the last row has come;
- ``settings.json`` says what the run was asked for and of which inputs;
- ``progress.json`` says how far the files in ``rows/`` are whole;
- ``finished.json`` is there when all rows are written and only names are left to change; it becomes NAME.run.json.

Rows are on the disk before ``progress.json`` tells of them. To go on, the files are cut back to what it tells.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from paratype.runs.durable import compress, copy_whole, sha256_of, sync_file, sync_folder, write_json
from paratype.runs.lock import Locked, locked_folder
from paratype.runs.terms import differences

__all__ = ["Journal", "JournalRefused", "check_free", "manifest_path", "open_journal", "unfinished"]

# At most so often, and at most a twentieth of the time, a run waits until its rows are on the disk.
SYNC_SECONDS = 5.0
_SYNC_SHARE = 20

_PARTIAL = "partial"
_COMPRESSED = "compressed"
_REVIEW = "review"


class JournalRefused(Exception):
    """An output cannot be written, or gone on with. The message says why and what to do."""


def manifest_path(output: Path) -> Path:
    """Return where the manifest of the run that wrote an output stands."""
    return output.with_name(output.name + ".run.json")


def unfinished(output: Path) -> dict[str, Any] | None:
    """Return how far an unfinished run on an output came, ``rows`` among it; None if there is none to go on with.

    Raises:
        JournalRefused: if that cannot be read.
    """
    return _read(output, "finished.json") or _read(output, "progress.json")


def check_free(output: Path, review: Path | None = None, *, resume: bool, force: bool) -> None:
    """Check that a run may write an output, and the file of rows for a person's eye.

    Raises:
        JournalRefused: if one of them exists and may not be replaced, or an unfinished run is there.
    """
    if force:
        return
    progress = unfinished(output)
    if progress is not None and not resume:
        raise JournalRefused(
            f"an unfinished run on {output} is there, with {progress['rows']} rows; go on with --resume, "
            "or start afresh with --force"
        )
    for path in (output, review):
        if path and path.exists() and (progress is None or not _may_replace(output)):
            nothing = "; there is no unfinished run to go on with" if resume and progress is None else ""
            raise JournalRefused(f"{path} exists; choose another name, or replace it with --force{nothing}")


def _may_replace(output: Path) -> bool:
    settings = _read(output, "settings.json")
    return _read(output, "finished.json") is not None or bool(settings and settings["replaces"])


def _read(output: Path, name: str) -> dict[str, Any] | None:
    path = _folder(output) / name
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if "rows" not in content and "settings" not in content:
            raise ValueError("expected rows or settings")
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise _damaged(path, str(error)) from error
    return content


def _folder(output: Path) -> Path:
    return output.with_name(f".{output.name}.journal")


def _damaged(path: Path, reason: str) -> JournalRefused:
    return JournalRefused(f"{path}: the journal of the unfinished run is damaged: {reason}; start afresh with --force")


@contextmanager
def open_journal(output: Path) -> Iterator[Journal]:
    """Give the journal of an output, to this process alone. What was marked is kept if the block ends early.

    Raises:
        JournalRefused: if another process writes the output.
        OSError: if the journal cannot be written.
    """
    try:
        with locked_folder(_folder(output)):
            journal = Journal(output)
            try:
                yield journal
            finally:
                journal.leave()
    except Locked as holder:
        raise JournalRefused(f"{holder} is writing {output}; wait until it is done, or name another output") from holder


class Journal:
    """How far one output is written. Made by `open_journal`; then comes `begin` or `go_on`.

    Attributes:
        output: the file that is written in the end.
        rows: the folder for the files that rows are written to.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.rows = _folder(output) / "rows"
        self._folder = _folder(output)
        self._terms: Mapping[str, Any] = {}
        self._mark: dict[str, Any] | None = None
        self._synced: dict[str, int] = {}
        self._kept = True
        self._sound = True
        self._due = time.monotonic() + SYNC_SECONDS

    def begin(self, terms: Mapping[str, Any], *, keep: bool) -> None:
        """Start afresh; what an unfinished run left is dropped.

        Args:
            terms: ``settings`` and ``inputs``, which a run that goes on must share, and ``replaces``.
            keep: whether a run that ends early can be gone on with.
        """
        self._drop()
        self.rows.mkdir()
        self._terms, self._kept = terms, keep

    def go_on(self, terms: Mapping[str, Any]) -> dict[str, Any] | None:
        """Cut the files back to where they were whole, and return what was last marked; None if there is nothing.

        Raises:
            JournalRefused: if settings or inputs are others, or files in the journal are not what they were.
        """
        progress = unfinished(self.output)
        if progress is None:
            return None
        then = _read(self.output, "settings.json") if "settings" not in progress else progress
        if then is None:
            raise _damaged(self._folder, "settings.json is missing")
        if changes := list(differences(then, terms)):
            raise JournalRefused(
                f"the unfinished run on {self.output} cannot go on: {'; '.join(changes)}; run it as it was begun, "
                "or start afresh with --force"
            )
        self._terms = {**terms, "replaces": then.get("replaces", False)}
        if "sizes" in progress:
            self._cut_back(progress["sizes"])
        return progress

    def _cut_back(self, sizes: Mapping[str, int]) -> None:
        for path in list(self.rows.iterdir()):
            if path.name not in sizes:
                path.unlink()
        for name in sizes.keys() - {path.name for path in self.rows.iterdir() if not path.is_symlink()}:
            raise _damaged(self.rows, f"{name} is missing")
        for path in self.rows.iterdir():
            expected, got = sizes[path.name], path.stat().st_size
            if got < expected:
                raise _damaged(path, f"expected {expected} bytes, got {got}")
            os.truncate(path, expected)
        self._synced = dict(sizes)

    @contextmanager
    def stream(self) -> Iterator[TextIO]:
        """Give the stream that writes on at the end of the partial output, and put it on the disk."""
        with (self.rows / _PARTIAL).open("a", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())

    def mark(self, progress: Mapping[str, Any]) -> None:
        """Note that the files are whole as they stand, flushed, with what else to know to go on; sync now and then."""
        self._mark = {**progress, "sizes": {path.name: path.stat().st_size for path in self.rows.iterdir()}}
        if time.monotonic() >= self._due:
            self.sync()

    def sync(self) -> None:
        """Bring what was last marked to the disk."""
        # After a failed sync the next one may report success though data was lost: there is no second try.
        if self._mark is None or not self._sound or not self._kept:
            return
        began = time.monotonic()
        self._sound = False
        for name, size in self._mark["sizes"].items():
            if self._synced.get(name) != size:
                sync_file(self.rows / name)
        sync_folder(self.rows)
        if not (self._folder / "settings.json").exists():
            write_json(self._folder / "settings.json", self._terms)
            sync_folder(self._folder.parent)
        write_json(self._folder / "progress.json", self._mark)
        self._synced, self._mark, self._sound = self._mark["sizes"], None, True
        now = time.monotonic()
        self._due = now + max(SYNC_SECONDS, _SYNC_SHARE * (now - began))

    def before_closing(self) -> None:
        """Sync, if this is a run that had to before: what is to come may take long, and must not start from less."""
        if (self._folder / "progress.json").exists():
            self.sync()

    @property
    def review(self) -> Path:
        """Where to write the rows for a person's eye, if they are wanted, before the end."""
        return self.rows / _REVIEW

    def finish(self, manifest: Mapping[str, Any], compression: str | None) -> None:
        """Put the output and its manifest in place; the partial output is whole and on the disk.

        Args:
            manifest: what to tell of the run.
            compression: ``gzip`` or ``zstd``, None for an output as it is.
        """
        whole = self.rows / _PARTIAL
        if compression:
            whole = self.rows / _COMPRESSED
            compress(self.rows / _PARTIAL, whole, compression)
            sync_file(whole)
        output = {"name": self.output.name, "bytes": whole.stat().st_size, "sha256": sha256_of(whole)}
        asked = {name: self._terms[name] for name in ("settings", "inputs")}
        write_json(self._folder / "finished.json", {**manifest, "output": output, **asked})
        self.complete()

    def complete(self) -> None:
        """Change the names, which can be done again from any point on."""
        self._mark = None
        if (self.rows / _COMPRESSED).exists():
            (self.rows / _PARTIAL).unlink(missing_ok=True)
            (self.rows / _COMPRESSED).replace(self.output)
        elif (self.rows / _PARTIAL).exists():
            (self.rows / _PARTIAL).replace(self.output)
        if not self.output.is_file():
            raise _damaged(self.rows, "the whole output is missing")
        if self.review.exists():
            self._place_review(Path(self._terms["settings"]["review"]))
        sync_folder(self.output.parent)
        self._drop(but="finished.json")
        (self._folder / "finished.json").replace(manifest_path(self.output))
        sync_folder(self.output.parent)

    def _place_review(self, path: Path) -> None:
        try:
            copy_whole(self.review, path)
        except OSError as error:
            reason = error.strerror or error
            raise JournalRefused(
                f"cannot write {path}: {reason}; {self.output} is whole; go on with --resume"
            ) from error

    def forget(self) -> None:
        """Keep nothing: what is there is not to be gone on with."""
        self._mark = None
        self._drop()

    def leave(self) -> None:
        """Keep what was marked, or drop it all if there is nothing to go on with."""
        with suppress(OSError):  # a full disk, of which the error that brought us here tells
            self.sync()
        if not any((self._folder / name).exists() for name in ("progress.json", "finished.json")):
            self._drop()

    def _drop(self, but: str = "") -> None:
        """Remove all but the lock; first what says that there is something to go on with."""
        for name in ("finished.json", "progress.json", "settings.json"):
            if name != but:
                (self._folder / name).unlink(missing_ok=True)
                (self._folder / f"{name}.new").unlink(missing_ok=True)
        if self.rows.exists():
            shutil.rmtree(self.rows)
