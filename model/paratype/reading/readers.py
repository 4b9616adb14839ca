"""From files to rows: documents give one row per paragraph, tables one row per row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from paratype.reading.charset import MOJIBAKE
from paratype.reading.decoding import AUTO, decode_page, decoded
from paratype.reading.documents import read_document, read_html
from paratype.reading.find import is_folder
from paratype.reading.json_files import read_json, read_jsonl, read_text_or_jsonl
from paratype.reading.rows import Input, Row
from paratype.reading.sources import COMPRESSIONS, STDIN, SUFFIXES, Failure, open_chunks, suffixes
from paratype.reading.tables import read_csv, read_tsv

__all__ = ["read_rows"]


def read_rows(
    source: str,
    *,
    text_column: str = "text",
    encoding: str = AUTO,
    on_bytes: Callable[[int], None] = lambda count: None,
    on_note: Callable[[str], None] = lambda note: None,
) -> Iterator[Row]:
    """Yield the rows of one file, or of standard input for ``-``, which is taken for text or JSON lines.

    Documents (text, web pages, JSON) are read whole, up to 512 MB; tables are streamed, so that memory does not grow
    with their rows. A text longer than 256 MB is a row with an error. Standard input holds JSON lines if its first
    line that is not blank is a JSON object.

    Args:
        source: the file's name.
        text_column: which column of a table holds the text; in JSON ``a.b`` is the ``b`` of the object in ``a``, if
            there is no column of that very name.
        encoding: of the file, see `paratype.reading.decoding.decoded`; Parquet has its own.
        on_bytes: called with the number of bytes read since the last call.
        on_note: called with what a person should know of a file that was read, such as a guess that was made.

    Raises:
        Failure: if the file cannot be opened, decompressed or decoded, is of no known kind or no proper table, lacks
            the text column, or is too long, after the rows before the fault.
    """
    noted = False
    try:
        for row in _rows(Input(source, text_column, encoding, on_bytes, on_note)):
            if not noted and not row.text.isascii() and (found := MOJIBAKE.search(row.text)):
                noted = True
                on_note(
                    f"{source}: has {found[0]!r}, which looks like UTF-8 that was once read as another encoding; "
                    "texts are left as they are"
                )
            yield row
    except OSError as error:
        raise Failure(f"{source}: {error.strerror or error}") from error


def _rows(given: Input) -> Iterator[Row]:
    kind = _kind(given.source)
    if kind == ".parquet":
        from paratype.reading.parquet import read_parquet

        yield from read_parquet(given)
        return
    with open_chunks(given.source, given.on_bytes) as chunks:
        if kind in _PAGES:
            page = b"".join(given.limited(chunks))
            pieces: Iterator[str] = iter([decode_page(given.source, page, given.encoding, given.on_note)])
        else:
            pieces = decoded(given.source, chunks, given.encoding, given.on_note)
        yield from _READERS[kind](given, pieces)


def _kind(source: str) -> str:
    kind = STDIN if source == STDIN else suffixes(source)[0]
    if kind in SUFFIXES or kind == STDIN:
        return kind
    if is_folder(source) and not kind:
        next(Path(source).iterdir(), None)  # says why it could not be searched
    known = f"expected {', '.join(SUFFIXES)}, perhaps with {' or '.join(COMPRESSIONS)} after that"
    raise Failure(f"{source}: unknown kind of file {kind or 'without a suffix'!r}; {known}")


_Reader = Callable[[Input, Iterable[str]], Iterator[Row]]

_PAGES = (".html", ".htm")
_READERS: dict[str, _Reader] = {
    STDIN: read_text_or_jsonl,
    ".txt": read_document,
    ".md": read_document,
    ".html": read_html,
    ".htm": read_html,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".json": read_json,
    ".csv": read_csv,
    ".tsv": read_tsv,
}
