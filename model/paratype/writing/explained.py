"""From explanations to JSON lines, and to tables to read."""

from __future__ import annotations

import json
from typing import Any, TextIO

from paratype.explain import Explanation, Pull, Sum
from paratype.reading import Row
from paratype.writing.terminal import printable

__all__ = ["explanation_line", "print_explanation"]

_DIGITS = 6
_MARKS = {"word": "", "opening": "^", "pair": ""}


def explanation_line(row: Row, explanation: Explanation, *, label: str | None = None, top: int | None = None) -> str:
    """Return an explanation as a line of JSON.

    Args:
        row: where the text stands.
        explanation: of the text.
        label: the outcome to show; all if None.
        top: how many words and pairs to show for an outcome, and as many against it; the others are added up in
            ``rest``. All if None.
    """
    prediction = explanation.prediction
    record = {name: getattr(row, name) for name in ("source", "paragraph", "start", "end", "text")}
    record |= {"label": prediction.label, "score": round(prediction.score, _DIGITS)}
    record["outcomes"] = {
        name: {"probability": round(prediction.scores[name], _DIGITS), **_plain(part, top)}
        for name, part in explanation.outcomes.items()
        if label in (None, name)
    }
    # A lone surrogate has no place in UTF-8.
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "replace").decode()


def _plain(part: Sum, top: int | None) -> dict[str, Any]:
    pros, cons, rest = _largest(part, top)
    pulls = [
        {"feature": pull.feature, "kind": pull.kind, "count": pull.count, "adds": round(pull.contribution, _DIGITS)}
        for pull in [*pros, *reversed(cons)]
    ]
    numbers = {"score": part.score, "intercept": part.intercept, "rest": rest}
    return {**{name: round(number, _DIGITS) for name, number in numbers.items()}, "pulls": pulls}


def _largest(part: Sum, top: int | None) -> tuple[list[Pull], list[Pull], float]:
    """Return the largest pulls for an outcome, those against it, and the sum of all others."""
    pros = [pull for pull in part.pulls if pull.contribution > 0]
    cons = [pull for pull in reversed(part.pulls) if pull.contribution < 0]
    most = len(part.pulls) if top is None else top
    rest = sum(pull.contribution for pull in [*pros[most:], *cons[most:]])
    return pros[:most], cons[:most], rest


def print_explanation(
    stream: TextIO, row: Row, explanation: Explanation, *, label: str | None = None, top: int | None = None
) -> None:
    """Print an explanation to read: colours and the terminal's width on a terminal, plain text elsewhere."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(file=stream, width=None if stream.isatty() else 120, highlight=False)
    prediction = explanation.prediction
    place = "" if row.paragraph is None else f" ¶ {row.paragraph}"
    head = Text(f"{printable(row.source)}{place}  ", "dim")
    head.append(printable(prediction.label), "bold")
    head.append(f" {prediction.score:.2f}")
    # Not printed at once, because rich ends the whole process if the reader has gone away.
    with console.capture() as captured:
        console.print(head)
        console.print(Padding(Text(printable(row.text)), (0, 0, 0, 2)))
        console.print(_table(explanation, label, top))
    stream.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())


def _table(explanation: Explanation, label: str | None, top: int | None) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, pad_edge=False)
    for name, how in {"outcome": "left", "p": "right", "score": "right", "starts from": "right"}.items():
        table.add_column(name, justify=how, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("for", ratio=1)
    table.add_column("against", ratio=1)
    table.add_column("rest", justify="right", no_wrap=True)
    probability = explanation.prediction.scores
    for name in sorted(probability, key=lambda name: -probability[name]):
        if label in (None, name):
            part = explanation.outcomes[name]
            pros, cons, rest = _largest(part, top)
            cells = [f"{probability[name]:.2f}", f"{part.score:+.2f}", f"{part.intercept:+.2f}"]
            style = "bold" if name == explanation.prediction.label else ""
            table.add_row(Text(printable(name), style), *cells, _listed(pros), _listed(cons), f"{rest:+.2f}")
    return table


def _listed(pulls: list[Pull]) -> Any:
    from rich.text import Text

    return Text(", ".join(f"{_name(pull)} {pull.contribution:+.2f}" for pull in pulls))


def _name(pull: Pull) -> str:
    times = f" ×{pull.count}" if pull.count > 1 else ""
    return f"{_MARKS[pull.kind]}{printable(pull.feature)}{times}"
