"""Cells that a spreadsheet would take for a formula, and the apostrophe that keeps it from that."""

from __future__ import annotations

import re

__all__ = ["FORMULA", "guarded", "unguarded"]

# Numbers with a sign, such as a longitude, are no formulas.
FORMULA = re.compile(r"(?![+-][\d.,]+(?:[eE][+-]?\d+)?\Z)[=+\-@\t\r]")
"""Matches what a spreadsheet would take for a formula."""


def guarded(text: str) -> str:
    """Put an apostrophe before a formula, and before one that has any, so that `unguarded` gives the very text."""
    return "'" + text if FORMULA.match(text.lstrip("'")) else text


def unguarded(cell: str) -> str:
    """Return the text of a cell that `guarded` made."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell.lstrip("'")) else cell
