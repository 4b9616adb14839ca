"""A progress line for long runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from paratype.batch import Report
from paratype.writing.terminal import printable

__all__ = ["show_progress"]


@contextmanager
def show_progress(stream: TextIO, total_bytes: int | None) -> Iterator[Callable[[Report], None]]:
    """Give a function to call with the report now and then; it moves a line with rate and time left along.

    Args:
        stream: a terminal.
        total_bytes: size of all inputs; None if it is not known.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[rows]} rows", markup=False),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task("", total=total_bytes, rows=0)

        def update(report: Report) -> None:
            progress.update(task, completed=report.bytes, rows=report.rows, description=printable(report.source))

        yield update
