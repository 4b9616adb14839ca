"""How commands end: exit codes, messages, and what turns what happened into these."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from paratype.streams import discard

if TYPE_CHECKING:
    from paratype.batch import Report

__all__ = [
    "MODEL_REFUSED",
    "NOTHING_READ",
    "READER_GONE",
    "SOME_FAILED",
    "interruptible",
    "report_failures",
    "report_fault",
    "say",
    "stoppable",
    "writing",
]

# Exit codes beside 0; the last three are what a shell gives for a command that SIGINT, SIGPIPE or SIGTERM ended.
SOME_FAILED, WRONG_USAGE, NOTHING_READ, MODEL_REFUSED, FAULT = 1, 2, 3, 4, 70
INTERRUPTED, READER_GONE, TERMINATED = 130, 141, 143


class _Terminated(KeyboardInterrupt):
    """SIGTERM came, which ends a run as an interrupt does."""


def _terminate(number: int, frame: object) -> None:
    raise _Terminated


@contextmanager
def interruptible(output: Path | None) -> Iterator[None]:
    """End with a message if an interrupt or SIGTERM comes."""
    # Whoever runs this in a thread, or ignores the signal, has reasons.
    ours = threading.current_thread() is threading.main_thread()
    ours = ours and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except KeyboardInterrupt as interrupt:
        word, code = ("terminated", TERMINATED) if isinstance(interrupt, _Terminated) else ("interrupted", INTERRUPTED)
        say(word + (_kept(output) or "; nothing was written to the output file" if output else ""))
        raise typer.Exit(code) from interrupt
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _kept(output: Path) -> str:
    """Return what to say of the rows that a run on the output has left; nothing if there are none."""
    from paratype.runs.journal import JournalRefused, unfinished

    try:
        progress = unfinished(output)
    except (OSError, JournalRefused):
        return ""
    return f"; the rows so far are kept ({progress['rows']}); go on with --resume" if progress else ""


@contextmanager
def writing(output: Path | None) -> Iterator[None]:
    """End the run with a message if the output cannot be written."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if output is None:
            discard(sys.stdout)
        reason = os.strerror(error.errno) if error.errno else error
        kept = _kept(output) if output else ""
        say(f"error: cannot write {output or 'standard output'}: {reason}{kept}")
        raise typer.Exit(WRONG_USAGE) from error


@contextmanager
def stoppable(report: Report, quiet: bool) -> Iterator[None]:
    """End the run at a failure, if it is to be strict."""
    from paratype.batch import Stopped

    try:
        yield
    except Stopped as stopped:
        report_failures(report, quiet)
        raise typer.Exit(SOME_FAILED) from stopped


def report_failures(report: Report, quiet: bool) -> None:
    """Say what failed, and what else is worth knowing."""
    for note in () if quiet else report.notes:
        say(f"note: {note}")
    for failure in report.failures:
        say(f"error: {failure}")


def report_fault(error: Exception) -> int:
    """Say what happened that must not; where, if that is asked for."""
    if isinstance(error, OSError) and error.filename is None:  # a standard stream; other files are handled nearer by
        discard(sys.stdout)
        say(f"error: cannot write standard output: {error.strerror}")
        return WRONG_USAGE
    if "--debug" in sys.argv:
        traceback.print_exception(error)
    elif isinstance(error, MemoryError):
        say("error: out of memory; give fewer --jobs, or part the largest input")
    else:
        again = shlex.join(["paratype", "--debug", *sys.argv[1:]])
        say(f"error: {type(error).__name__}: {error}; this is a fault of Paratype's: {again} shows where")
    return FAULT


def say(message: str) -> None:
    """Write a message to standard error."""
    from paratype.writing.terminal import printable

    try:
        typer.echo(printable(message), err=True)
    except BrokenPipeError:
        raise
    except OSError:  # a full disk, say: a run does not fail for want of messages
        discard(sys.stderr)
