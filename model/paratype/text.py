"""From a document to its paragraphs, and the checks on texts that come from outside."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["MOST_WORDS", "Paragraph", "check_texts", "paragraph_hash", "paragraphs"]

MOST_WORDS = 220
"""A text of more words is no paragraph to learn from."""

# Hard-wrapped text has lines of at least 40 and at most 120 characters; real one-line paragraphs are
# longer, lists of short items shorter.
_WRAP_WIDTHS = range(40, 121)
_SENTENCE_END = re.compile(r"[.!?…:;][\"'”’»)\]]{0,3}$")
_DATE_LINE = re.compile(r"(?:date:?\s{1,4})?\d{4}-\d{2}-\d{2}(?=\s)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of a document.

    Attributes:
        index: its place in the document, from 0.
        start, end: character offsets into the document: ``document[start:end]`` is the paragraph as it stands.
        text: the same with every run of white space (line ends of hard-wrapped text too) as one space.
    """

    index: int
    start: int
    end: int
    text: str


def check_texts(texts: Iterable[str]) -> list[str]:
    """Return the texts as a list.

    Raises:
        TypeError: for a bare string, and for an item that is not a string (named by its position).
    """
    if isinstance(texts, (str, bytes)):
        raise TypeError(f"expected a list of texts, got a single {type(texts).__name__}; put it in a list: [text]")
    checked = list(texts)
    for position, text in enumerate(checked):
        if not isinstance(text, str):
            raise TypeError(
                f"expected every text to be a str, got {type(text).__name__} at position {position}; "
                "decode bytes and replace missing values by ''"
            )
    return checked


def paragraph_hash(text: str) -> str:
    """Return a 16-digit key that is the same for copies that differ in case, punctuation or spacing."""
    words = re.findall(r"\w+", text.casefold())
    return hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def paragraphs(document: str) -> list[Paragraph]:
    """Cut a document into paragraphs.

    Blank lines always part paragraphs. A single line end parts them too, unless the document is hard-wrapped:
    then lines that are full are joined with the next. A heading, a "COMMENTS" or a "Read more" line is a
    paragraph of its own, and so is a date stamp at the head of a line.

    Returns:
        The paragraphs in order; none of them is blank, none overlap, and together they hold every character
        that is not white space.
    """
    lines = list(_lines(document))
    spans = list(_spans(lines, _wrap_width(lines)))
    spans = [part for span in spans for part in _without_date(document, *span)]
    return [
        Paragraph(index, start, end, " ".join(document[start:end].split())) for index, (start, end) in enumerate(spans)
    ]


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    text: str  # stripped; empty for a blank line

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def _lines(document: str) -> Iterator[_Line]:
    """Yield the lines; of blank ones in a row only the first, which parts as well as all and takes less memory."""
    position = 0
    blank = False
    for line in document.splitlines(keepends=True):
        text = line.strip()
        if text or not blank:
            yield _Line(position + line.find(text), text)
        blank = not text
        position += len(line)


def _wrap_width(lines: list[_Line]) -> int | None:
    """Return the width at which the document is hard-wrapped, or None if it is not.

    Wrapped lines mostly break in mid-sentence; lines that are paragraphs mostly end like sentences. A few lines
    that are too long to be wrapped, such as web addresses, do not count.
    """
    inner = [line.text for line, after in pairwise(lines) if line.text and after.text]
    counted = [text for text in inner if len(text) < _WRAP_WIDTHS.stop]
    if not counted or 5 * (len(inner) - len(counted)) > len(inner):
        return None
    width = max(map(len, counted))
    broken = sum(not _SENTENCE_END.search(text[-6:]) for text in counted)
    return width if width in _WRAP_WIDTHS and 2 * broken > len(counted) else None


def _spans(lines: list[_Line], width: int | None) -> Iterator[tuple[int, int]]:
    start: int | None = None
    for line, after in pairwise([*lines, _Line(0, "")]):
        if not line.text:
            continue
        if start is None:
            start = line.start
        if not (width and after.text and _is_full(line.text, after.text, width)):
            yield start, line.end
            start = None


def _is_full(line: str, after: str, width: int) -> bool:
    """Whether the first word of the next line would not have fitted, allowing a fifth for ragged wrapping."""
    return len(line) + 1 + len(after.split(maxsplit=1)[0]) >= 0.8 * width


def _without_date(document: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    date = _DATE_LINE.match(document, start, end)
    if date:
        yield start, date.end()
        start = date.end() + len(document[date.end() : end]) - len(document[date.end() : end].lstrip())
    yield start, end
