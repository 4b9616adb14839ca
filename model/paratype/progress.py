"""A progress line for long runs."""

from __future__ import annotations

import time
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
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} a second,"),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("left"),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task("", total=total_bytes, rows=0, rate=0)
        began, before = time.monotonic(), None

        def update(report: Report) -> None:
            nonlocal before
            before = report.rows if before is None else before  # the first rows came with what takes long to start
            rate = (report.rows - before) / (time.monotonic() - began)
            source = printable(report.source)
            progress.update(task, completed=report.done, description=source, rows=report.rows, rate=rate)

        yield update
