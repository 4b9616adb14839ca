"""Markdown tables, and their places in README and cards."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

__all__ = ["fill", "table"]


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table whose first column stands to the left, the others to the right."""
    header = list(header)
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def fill(path: Path, made: dict[str, str]) -> None:
    """Put each table between its markers, ``<!-- table:NAME -->`` and ``<!-- /table -->``, in a Markdown file.

    What stands between the markers of a table that was not made stays.
    """

    def replace(match: re.Match[str]) -> str:
        if match[1] not in made:
            return match[0]
        return f"<!-- table:{match[1]} -->\n{made[match[1]]}\n<!-- /table -->"

    text = path.read_text("utf-8")
    path.write_text(re.sub(r"<!-- table:([\w-]+) -->\n.*?<!-- /table -->", replace, text, flags=re.DOTALL), "utf-8")
