"""From labelled rows to a page to read: one HTML file that needs no other, and in which no text can run."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import paratype
from paratype.writing.page_rows import ERROR, Document, Kinds, clean, kept, outline, shown_rows, together
from paratype.writing.writer import Writer

if TYPE_CHECKING:
    from jinja2 import Environment

    from paratype.batch import Labelled

__all__ = ["MEANINGS", "PageWriter"]

_FOLDER = Path(__file__).parent
# Types that ship, and rows that failed, have colours of their own; other types share the rest.
_OWN_COLOURS, _COLOURS = 6, 10
# A strip of more parts than this is too fine to see: then it shows how many there are of each type.
_MOST_PARTS = 300
_PIECES_AT_ONCE = 200

MEANINGS = {
    "attack_report": "tells of a specific act of political or organised armed violence",
    "threat_statement": "quotes or reports harm that an actor announces",
    "casualty_figure": "gives the number of people killed, wounded, missing, held or displaced",
    "analysis": "explains, weighs, forecasts, or tells of politics, trials, aid and security around conflict",
    "none": "does none of these: sport, business, a heading, a link",
    ERROR: "could not be read; the reason stands in its place",
}
"""What each type that ships means, in a line."""


class PageWriter(Writer):
    """One page on which all documents stand in order, with an index if there are several.

    Rows wait until the last has come, since only then the counts at the head of the page are known.
    """

    def __init__(self, stream: TextIO, folder: Path | None = None, **options: Any) -> None:
        super().__init__(stream, folder, **options)
        self._waiting = self._held_back("waiting.jsonl")

    def write(self, labelled: Labelled) -> None:
        """Take some rows."""
        lines = (json.dumps(kept(record, self._text_column)) for record in labelled.records())
        self._waiting.write("".join(f"{line}\n" for line in lines).encode())

    def flush(self) -> None:
        """Hand on what was taken so far to the operating system."""
        self._waiting.flush()
        super().flush()

    def close(self) -> None:
        """Write the page."""
        kinds = Kinds()
        documents = outline(self._records(), kinds)
        template = _environment().get_template("page.html.jinja")
        page = template.stream(
            documents=documents,
            whole=together(documents),
            contents=shown_rows(self._records(), kinds),
            names=kinds.names(),
            meanings=MEANINGS,
            style=_style(len(kinds.names())),
            script=_file("page.js"),
            version=paratype.__version__,
        )
        page.enable_buffering(_PIECES_AT_ONCE)
        for piece in page:
            self._stream.write(piece)

    def _records(self) -> Iterator[dict[str, Any]]:
        self._waiting.seek(0)
        return map(json.loads, self._waiting)


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def fit(value: Any) -> Any:
        return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(  # each text is escaped and cleaned where it is put in, so that none can be forgotten
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        finalize=fit,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(words=_words, colour=_colour, sha256=_sha256, parts=_parts)
    return environment


def _words(name: str) -> str:
    return name.replace("_", " ")


def _colour(kind: int) -> int:
    return kind if kind < _OWN_COLOURS else _OWN_COLOURS + (kind - _OWN_COLOURS) % (_COLOURS - _OWN_COLOURS)


def _parts(document: Document) -> list[tuple[int, int, int]]:
    runs = document.runs()
    return runs if len(runs) <= _MOST_PARTS else document.counts()


def _sha256(content: str) -> str:
    """Return how a page's security policy names the one script, and the one style, that it allows."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _style(kinds: int) -> str:
    """Return the style sheet, with a rule for each type that hides its rows when its box is not ticked."""
    rules = (f"body:has(#f{kind}:not(:checked)) .k{kind} {{ display: none }}\n" for kind in range(kinds))
    return _file("page.css") + "".join(rules)


def _file(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")
