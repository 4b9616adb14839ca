"""Which encoding bytes are in that are not UTF-8: a name if only one reading is likely, else none.

Single bytes mean other letters in each of the old encodings, and a wrong guess turns names into other names without
an error. So a guess is made only where it can be checked. Text in Latin letters is read in each of the encodings that
are in use; a reading counts if its accented letters are those of one language that is written in that encoding. All
other scripts are left to charset-normalizer, whose answer is taken if it found little that is odd, and in no other
reading as little.
"""

from __future__ import annotations

import codecs
import re

__all__ = ["MOJIBAKE", "UNCLEAN", "declared_encoding", "guess_encoding", "marked_encoding", "wide_encoding"]

UNCLEAN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
"""Characters that no text has: control characters other than white space, and the one that stands for lost ones."""

# What bytes 128 to 191 become where UTF-8 was read as Windows-1252 (or Latin-1).
_SIGNS = "€ƒ„…†‡ˆ‰Š‹ŒŽ•˜™š›œžŸ\u0080-\u00bf"
_QUOTES = "‚‘’“”–—"
_DOUBLES = ("ØÙÚÛ", "ÐÑ", "ÎÏ", "×")  # first bytes of Arabic, Cyrillic, Greek and Hebrew; two letters at least
MOJIBAKE = re.compile(
    "[âÃÂØÙÚÛÐÑÎÏ×](?:"  # first what all begin with, which is sought far faster than alternatives are
    + "|".join(
        [
            f"(?<=â)[€\u0080][{_SIGNS}{_QUOTES}]",
            f"(?<=[ÃÂ])[{_SIGNS}]",
            *(f"(?<=[{first}])[{_SIGNS}{_QUOTES}][{first}][{_SIGNS}{_QUOTES}]" for first in _DOUBLES),
        ]
    )
    + ")"
)
"""Sequences that are UTF-8 read as another encoding, such as Ã© for é, and hardly ever anything else."""

# By language: all accented letters it uses, and among them some of which any longer text has at least one.
_WEST = {
    "Catalan": ("àçèéíïòóúü", "àèéó"),
    "Danish, Norwegian": ("æøåéäöüòôêè", "æøå"),
    "Dutch": ("éëïèóöüáíêç", "ëéï"),
    "Finnish, Swedish": ("äöåéüàáæø", "äöå"),
    "French": ("éèàêçôâîûùïëœüÿæ", "éèà"),
    "German": ("äöüßéèàáç", "äöüß"),
    "Icelandic": ("áéíóúýðþæö", "áíæ"),
    "Italian": ("àèéìòùîç", "àèòùì"),
    "Portuguese": ("ãçáéíóúâêôõàü", "ãçáéí"),
    "Spanish": ("áéíóúñüç", "óíáéñ"),
}
_CENTRE = {
    "Albanian": ("ëç", "ë"),
    "Croatian, Slovene": ("čćđšž", "čšćž"),
    "Czech": ("áčďéěíňóřšťúůýž", "íáě"),
    "Hungarian": ("áéíóöőúüű", "áéő"),
    "Polish": ("ąćęłńóśźż", "łęąż"),
    "Romanian": ("ăâîşţșț", "ăşţ"),
    "Slovak": ("áäčďéíĺľňóôŕšťúýž", "áíž"),
}
_TURKEY = {"Turkish": ("çğıöşüâîûi̇", "ışğ")}
_BALTIC = {
    "Estonian": ("äõöüšž", "äõü"),
    "Latvian": ("āčēģīķļņšūž", "āīē"),
    "Lithuanian": ("ąčęėįšųūž", "ėįš"),
}
# A reading in an encoding of the second group counts only if none in the first does. The number is that of the
# accented letters that a reading must have; in the first group, quotes and the like alone count too.
_FEWEST, _FEWEST_IN_DOS_OR_MAC = 2, 3
_LATIN = (
    (_FEWEST, {"cp1252": _WEST, "cp1250": _CENTRE, "cp1254": _TURKEY, "cp1257": _BALTIC, "iso8859-2": _CENTRE}),
    (_FEWEST_IN_DOS_OR_MAC, {"cp850": _WEST, "mac-roman": _WEST, "cp852": _CENTRE}),
)
_SAFE_SIGNS = "“”‘’–—…•€£©®«»°§·½¼¾×™\xa0"
# Names from several Western languages may stand in an English text, where accents are rare.
_NAMES = set("áàâãäåçéèêëíîïñóôöøúùûüßæœ")
_MOST_ACCENTS_OF_NAMES = 0.03
_MOST_ACCENTS = 0.4

_OTHERS = (
    "cp1251 cp1253 cp1255 cp1256 cp874 cp866 koi8_r koi8_u iso8859_5 iso8859_6 iso8859_7 iso8859_8 "
    "gb18030 big5 cp932 euc_jp cp949"
).split()
_JAPANESE = {"cp932", "euc_jp"}
_KANA = re.compile("[ぁ-ん]{2}")
_FEWEST_BYTES = 16
_MOST_CHAOS = 0.1
_MARGIN = 0.05

_MOST_BYTES = 1 << 18  # more does not make a guess better

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_DECLARED = re.compile(rb"""(?:charset\s*=|<\?xml[^>]{0,99}encoding\s*=)\s*["']?\s*([\w:.-]{1,40})""", re.IGNORECASE)
# What browsers take for what pages declare, by Python's names: the supersets that their authors used.
_TAKEN_FOR = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}


def marked_encoding(head: bytes) -> str | None:
    """Return the encoding whose byte-order mark stands first, if one does."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


def declared_encoding(page: bytes) -> str | None:
    """Return the encoding that a web page declares near its beginning, if Python knows it."""
    found = _DECLARED.search(page, 0, 4096)
    try:
        name = codecs.lookup(found[1].decode("ascii")).name if found else None
    except LookupError:
        return None
    return _TAKEN_FOR.get(name, name) if name else None


def guess_encoding(sample: bytes, *, torn: bool = False) -> str | None:
    """Return the encoding of a text that is not UTF-8, or None if it is not certain.

    Args:
        sample: bytes of the text; the lines with others than ASCII tell.
        torn: whether the sample may end inside a character.
    """
    telling = _telling_lines(sample, torn)
    if not telling:
        return None
    for fewest, group in _LATIN:
        readings: dict[str, str] = {}
        for name, languages in group.items():
            text = _reading(telling, name)
            if text is not None and _is_likely(text, languages, fewest):
                readings.setdefault(text, name)
        if readings:
            return readings.popitem()[1] if len(readings) == 1 else None
    return "cp1252" if _is_same_elsewhere(telling) else _guess_of_library(telling)


def _is_same_elsewhere(sample: bytes) -> bool:
    """Whether a text, perhaps with a single accented letter, is the same in the encodings of all Latin Europe."""
    text = _reading(sample, "cp1252")
    same = all(_reading(sample, name) == text for name in ("cp1250", "cp1257"))
    return text is not None and same and _is_likely(text, _WEST, 1)


def wide_encoding(sample: bytes) -> str | None:
    """Return which of UTF-16 and UTF-32 the bytes look like, by the zeros in Latin letters, digits and spaces."""
    head = sample[: min(len(sample), 1 << 12) // 4 * 4]
    zeros = "".join("0" if head[place::4].count(0) * 4 > 0.4 * len(head) else "x" for place in range(4))
    name = {"x000": "utf-32-le", "000x": "utf-32-be", "x0x0": "utf-16-le", "0x0x": "utf-16-be"}.get(zeros)
    return name if name and _reading(head, name) is not None else None


def _telling_lines(sample: bytes, torn: bool) -> bytes:
    if torn or len(sample) > _MOST_BYTES:
        sample = _untorn(sample)
    lines, size = [], 0
    for line in sample.splitlines(keepends=True):
        if not line.isascii():
            lines.append(line)
            size += len(line)
        if size > _MOST_BYTES:
            return _untorn(b"".join(lines)[:_MOST_BYTES])
    return b"".join(lines)


def _untorn(sample: bytes) -> bytes:
    """Drop what stands after the last space or line end; both are no part of a character in any encoding here."""
    end = max(sample.rfind(b" "), sample.rfind(b"\n"))
    return sample[: end + 1] if end >= 0 else sample


def _reading(sample: bytes, name: str) -> str | None:
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return None
    return None if UNCLEAN.search(text) or MOJIBAKE.search(text) else text


# What another encoding's letters look like: signs inside words, quotes that open after a letter, letters before digits,
# accents that stand alone, capitals after small letters.
_LETTER = r"[^\W\d_]"
_ODD = re.compile(
    rf"{_LETTER}(?:[^\w\s\x00-\x7f’‘·\xad–—…]|[²³¹]){_LETTER}|{_LETTER}[„‚ƒˆ‡†]|[^\W\d_\x00-\x7fªº]\d"
    r"|[¡-©¬®-º¼-¿]{2}|[ƒˆ˙˝˛ˇ˘˜¨¸¯]\w|\w[˙˝˛ˇ˘¸¯]|[a-zß-ÿ][À-ÖØ-ÞĂĄĆČĎĐĘĚĞİŁŃŇŐŒŘŚŞŠŢŤŮŰŹŻŽŸ]"
)
_QUOTED = re.compile("‚[^‚]{1,999}[‘’]")


def _is_likely(text: str, languages: dict[str, tuple[str, str]], fewest: int) -> bool:
    letters = [char for char in text if char.isalpha()]
    accented = [char for char in letters if not char.isascii() and char not in "ªº"]
    share = len(accented) / max(len(letters), 1)
    if _ODD.search(text) or "‚" in _QUOTED.sub("", text) or (share > _MOST_ACCENTS and len(accented) > 1):
        return False
    if not accented:
        return fewest == _FEWEST and all(char.isascii() or char in _SAFE_SIGNS for char in text)
    if len(accented) < fewest:
        return False
    used = set("".join(accented).lower())
    if languages is _WEST and used <= _NAMES and share <= _MOST_ACCENTS_OF_NAMES:
        return True
    return any(used <= set(alphabet) and used & set(common) for alphabet, common in languages.values())


def _guess_of_library(sample: bytes) -> str | None:
    if len(sample) - len(sample.decode("ascii", "ignore")) < _FEWEST_BYTES:
        return None
    from charset_normalizer import from_bytes

    matches = from_bytes(sample, cp_isolation=_OTHERS, preemptive_behaviour=False)
    best = matches.best()
    text = _reading(sample, best.encoding) if best else None
    if best is None or text is None or best.chaos > _MOST_CHAOS:
        return None
    if not (best.encoding in _JAPANESE and _KANA.search(text)):  # kana in order are Japanese and no accident
        for other in matches:
            as_good = other.chaos <= best.chaos + _MARGIN and other.coherence >= best.coherence - _MARGIN
            # Russian in one of its two encodings gives letters in the other, with small ones for capitals.
            swapped = _is_mostly_small(text) and not _is_mostly_small(str(other)) and other.coherence < best.coherence
            if as_good and not swapped and str(other) != text:
                return None
    return str(best.encoding).replace("_", "-")


def _is_mostly_small(text: str) -> bool:
    return 2 * sum(map(str.isupper, text)) < sum(map(str.islower, text))
