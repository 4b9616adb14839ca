"""From text and web pages to rows: one for each paragraph."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator

from paratype.reading import limits
from paratype.reading.rows import Input, Row
from paratype.text import paragraphs

__all__ = ["read_document", "read_html"]

_PAGE = re.compile("<(?:html|body|frameset)[ >]", re.IGNORECASE)
# A page with a reference to a character that XML does not have, such as &#27;, would give no text at all.
_REFERENCE = re.compile(r"&#(?:x0*([0-9a-f]{1,4})(?![0-9a-f])|0*([0-9]{1,5})(?![0-9]));?", re.IGNORECASE)
_INSTALL_HTML = "pip install 'paratype[html]'"


def read_document(given: Input, pieces: Iterable[str]) -> Iterator[Row]:
    """Yield the paragraphs of a text."""
    document = given.whole(pieces)
    if sum(map(document.count, "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")) > limits.MOST_LINES:
        raise given.failure(f"more than {limits.MOST_LINES} lines, too many for a document; part it")
    for cut in paragraphs(document):
        row = Row(given.source, cut.text, {}, cut.index, cut.start, cut.end)
        if len(cut.text) > limits.LONGEST_TEXT:
            row.text, row.error = "", f"paragraph {cut.index}: {limits.too_long(limits.LONGEST_TEXT)}"
        yield row


def read_html(given: Input, pieces: Iterable[str]) -> Iterator[Row]:
    """Yield the paragraphs of the article in a web page."""
    page = given.whole(pieces)
    lines = _lines_of_page(given, page)
    if not lines and page.strip():
        given.note("no text was found in the page")
    # Each line is a paragraph, a heading, or an item of a list; blank lines keep them apart.
    yield from read_document(given, ["\n\n".join(lines)])


def _lines_of_page(given: Input, page: str) -> list[str]:
    try:
        import trafilatura
    except ImportError as error:
        raise given.failure(f"web pages need another package ({error}): {_INSTALL_HTML}") from error
    # What it has to say is for programmers; without a handler, Python would put it on standard error.
    logging.getLogger("trafilatura").addHandler(logging.NullHandler())
    if not _PAGE.search(page):  # a part of a page
        page = f"<html><body>{page}</body></html>"
    page = _REFERENCE.sub(_unless_forbidden, page)
    try:
        text = trafilatura.extract(page, include_comments=False)
    except Exception as error:  # whatever a parser of strangers' pages may raise
        raise given.failure(f"no text could be taken out of the page: {error}; save it as text (.txt)") from error
    # Without the rules under the heads of tables, which are no text.
    return [line.strip() for line in (text or "").splitlines() if any(map(str.isalnum, line))]


def _unless_forbidden(reference: re.Match[str]) -> str:
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    return "" if (number < 32 and number not in (9, 10, 13)) or number in (0xFFFE, 0xFFFF) else reference[0]
