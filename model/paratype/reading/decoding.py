"""From bytes to text: in a named encoding, or in UTF-8 or whatever else the bytes are beyond doubt."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from paratype.reading.charset import UNCLEAN, declared_encoding, guess_encoding, marked_encoding, wide_encoding
from paratype.reading.sources import Failure

__all__ = ["AUTO", "decode_page", "decoded"]

AUTO = "auto"

_MARK = "\ufeff"
_LONGEST_MARK = 4
# So many bytes tell whether letters take two or four of them.
_WIDE_SAMPLE = 4096
# A guess is made from so many bytes, from the first on that is not UTF-8.
_SAMPLE = 4 << 20
# And from so many characters before that, since a letter is known by its word.
_CONTEXT = 1000


def decoded(source: str, chunks: Iterable[bytes], encoding: str, on_note: Callable[[str], None]) -> Iterator[str]:
    """Yield the text of some bytes in pieces, all that stands before a byte that is not text included.

    A byte-order mark is dropped. With ``auto``, the bytes are taken for what their mark says, else for UTF-8. If one
    is not UTF-8, and all before it were ASCII, the 4 MB from there on decide which encoding the rest is read in, and
    a note says which that was.

    Args:
        source: the file's name, for messages.
        chunks: the bytes in pieces.
        encoding: a name that Python knows, or ``auto``.
        on_note: called with what a person should know.

    Raises:
        Failure: at a byte that is no text in the encoding, or whose encoding is not certain.
    """
    pieces = _automatic(source, chunks, on_note) if encoding == AUTO else _strict(source, chunks, encoding)
    first = next((piece for piece in pieces if piece), "")
    yield first.removeprefix(_MARK)
    yield from pieces


def decode_page(source: str, page: bytes, encoding: str, on_note: Callable[[str], None]) -> str:
    """Return the text of a web page, which may say itself what encoding it is in.

    Raises:
        Failure: at a byte that is no text in the encoding, or whose encoding is not certain.
    """
    if encoding == AUTO and not marked_encoding(page):
        utf8, declared = _clean(page, "utf-8"), declared_encoding(page)
        text = utf8 if utf8 is not None or declared is None else _clean(page, declared)
        if text is not None:
            return text
    return "".join(decoded(source, [page], encoding, on_note))


def _clean(data: bytes, encoding: str) -> str | None:
    try:
        text = data.decode(encoding)
    except UnicodeError:
        return None
    return None if UNCLEAN.search(text) else text


def _automatic(source: str, chunks: Iterable[bytes], on_note: Callable[[str], None]) -> Iterator[str]:
    chunks = iter(chunks)
    head = _head(b"", chunks, _LONGEST_MARK)
    if b"\0" in head:
        head = _head(head, chunks, _WIDE_SAMPLE)
    if marked := marked_encoding(head):
        yield from _strict(source, chain([head], chunks), marked)
    elif b"\0" in head and (wide := wide_encoding(head)):  # ASCII letters in two or four bytes are UTF-8, too
        on_note(f"{source}: read as {wide}")
        yield from _strict(source, chain([head], chunks), wide, clean=True)
    else:
        yield from _utf8_or_other(source, chain([head], chunks), on_note)


def _head(head: bytes, chunks: Iterator[bytes], fewest: int) -> bytes:
    """Return the beginning of some bytes, of no less than so many if there are."""
    while len(head) < fewest and (chunk := next(chunks, b"")):
        head += chunk
    return head


def _utf8_or_other(source: str, chunks: Iterator[bytes], on_note: Callable[[str], None]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    position, is_ascii, context = 0, True, ""
    for data in chain(chunks, [b""]):
        held = len(decoder.getstate()[0])
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            # The decoder saw these bytes, and before them those it had held back.
            good, rest = error.object[: error.start].decode(), error.object[error.start :]
            start = position - held + error.start
            yield good
            if not (is_ascii and good.isascii()):
                raise _not_text(source, f"byte {start} is not utf-8") from error
            context = (context + good)[-_CONTEXT:]
            yield from _other(source, rest, chunks, start, context, on_note)
            return
        position += len(data)
        is_ascii = is_ascii and text.isascii()
        context = (context + text[-_CONTEXT:])[-_CONTEXT:]
        yield text


def _other(
    source: str, rest: bytes, chunks: Iterator[bytes], start: int, context: str, on_note: Callable[[str], None]
) -> Iterator[str]:
    parts, size = [rest], len(rest)
    while size < _SAMPLE and (chunk := next(chunks, b"")):
        parts.append(chunk)
        size += len(chunk)
    sample = b"".join(parts)
    name = wide_encoding(sample) or guess_encoding(context.encode() + sample, torn=size >= _SAMPLE)
    if name is None:
        raise _not_text(source, f"byte {start} is not utf-8, and no other encoding is certain")
    on_note(f"{source}: read as {name}")
    yield from _strict(source, chain([sample], chunks), name, start, clean=True)


def _strict(
    source: str, chunks: Iterable[bytes], encoding: str, position: int = 0, *, clean: bool = False
) -> Iterator[str]:
    """Yield text in pieces.

    Args:
        source: the file's name, for messages.
        chunks: the bytes in pieces.
        encoding: a name that Python knows.
        position: where the bytes begin in the file.
        clean: whether to refuse control characters, as a sign that the encoding is another.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    for data in chain(chunks, [b""]):
        before = decoder.getstate()
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            # Both what the decoder saw and what we gave it end at the same place.
            wrong = len(data) - len(error.object) + error.start
            decoder.setstate(before)
            yield decoder.decode(data[: max(wrong, 0)])
            raise _not_text(source, f"byte {position + wrong} is not {encoding}") from error
        except UnicodeError as error:  # UTF-16 and UTF-32 without the mark that tells their byte order
            raise _not_text(source, f"not {encoding}: {error}") from error
        if clean and (odd := UNCLEAN.search(text)):
            yield text[: odd.start()]
            place = position - len(before[0]) + len(text[: odd.start()].encode(encoding))
            raise _not_text(source, f"byte {place} is a control character in {encoding}, which is thus not certain")
        yield text
        position += len(data)


def _not_text(source: str, reason: str) -> Failure:
    return Failure(f"{source}: {reason}; save the file as UTF-8, or name its encoding, such as --encoding cp1252")
