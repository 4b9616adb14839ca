"""From a paragraph to its sentences, in time that grows with its length alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["sentences"]

# Where a sentence may end: its mark, quotes and brackets that close, references such as [3], and the space behind
# them; or a blank line. No part can fail once it has begun, so that nothing is looked at twice.
_END = re.compile(
    r"(?P<mark>[.!?…]+|[。！？｡۔؟।॥።]+)(?P<close>[\"'”’»›)\]}]*(?:\[\d{1,3}\]){0,3})(?P<space>\s*)"
    r"|(?P<blank>\n\s*\n\s*)"
)
_NEXT = re.compile(r"(?P<open>[\"'“‘«‹„(\[{¿¡–—-]{0,4}\s?)(?P<word>\w{0,24})")
_BEFORE = re.compile(r"\w[\w.'’-]{0,23}\Z")
_WORD = re.compile(r"\w")
_LONGEST = 24  # no abbreviation is longer

# What goes before a name or a number, so that its dot ends no sentence.
_TITLES = frozenset(
    "adm art atty brig capt cf cmdr cmdt col comdr cpl dir dr dra drs eng esq fig fr ft gen gov hon ing insp lic "
    "lieut lt ltc maj messrs mlle mme mr mrs ms msgr mt para pfc pres prof pte pvt ref rep reps rev sec sen sens sgt "
    "sr sra srta st ste supt vol vs viz e.g i.e a.k.a".split()
)
# The same, before a number alone.
_BEFORE_NUMBER = frozenset("no nos nr num op p pp sect apr aug dec feb jan jul jun mar nov oct sep sept".split())
# What may stand in mid-sentence and at its end; the word that follows must tell.
_EITHER = frozenset(
    "al approx ave bros calif co conn corp dept dist etc est ext fla govt inc jr kan ltd mass mich "
    "minn miss mo ont p.s ph.d plc pty que sgd tel univ va wash".split()
)
_HOURS = frozenset({"a.m", "p.m"})
_AFTER_HOURS = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december gmt utc est edt cst cdt pst pdt local".split()
)
# Words that open a sentence far more often than they continue a name; in capitals, the second lot may go on, too.
_OPENERS = frozenset(
    "a about according again all also although among an another any both despite each earlier eight even every few "
    "fifteen five four he her here his how however human i instead it its last later many meanwhile more most my "
    "nearly never nine no nobody not nothing now once one only our over separately seven several she since six some "
    "such ten that the their then there these they this those three through thus today twelve twenty two under we what "
    "why yet you your".split()
)
_LINKS = frozenset(
    "after and as at because before but by during for from if in of on so though to until when where while who "
    "with".split()
)


def sentences(text: str) -> list[tuple[int, int]]:
    """Cut a paragraph into sentences.

    A mark that ends sentences does so before a space and something that may open one: a capital letter, a digit, a
    quote, or any letter if the text has no capitals. Abbreviations and initials are told by themselves and by the
    word behind them. A full stop without a space behind it ends a sentence if it stands between words. A blank line
    always ends one.

    Returns:
        For each sentence where it starts and ends: character offsets into the text, in order. None is blank, none
        overlap, and together they hold every character that is not white space.
    """
    found: list[tuple[int, int]] = []
    start = piece = len(text) - len(text.lstrip())
    last, has_word = len(text.rstrip()), False
    for end, after in [*_ends(text), (last, last)]:
        has_word = has_word or _WORD.search(text, piece, end) is not None
        piece = after
        if has_word and start < end:
            found.append((start, start + len(text[start:end].rstrip())))
            start, has_word = after, False
    if start < last:  # signs alone go with the next sentence, at the end with the one before
        found[-1:] = [(found[-1][0] if found else start, last)]
    return found


def _ends(text: str) -> Iterator[tuple[int, int]]:
    """Yield where sentences end, without and with the space behind them."""
    has_capitals = text != text.lower()
    start = 0
    for match in _END.finditer(text):
        end = match.start("space") if match["blank"] is None else match.start()
        if match["blank"] is not None or _is_end(text, start, match, has_capitals):
            yield end, match.end()
            start = match.end()


def _is_end(text: str, start: int, match: re.Match[str], has_capitals: bool) -> bool:
    if match["mark"][0] not in ".!?…" or match["space"].count("\n") > 1:
        return True  # other scripts put no space, and have no capitals
    following = _NEXT.match(text, match.end())
    word = following["word"] if following else ""
    if not word:
        return bool(match["space"])
    before = _BEFORE.search(text[max(start, match.start() - _LONGEST) : match.start()])
    token = before[0] if before else ""
    if not match["space"]:
        return _is_run_together(token, match, word)
    if has_capitals and word[0].islower():
        return False
    is_number = start + len(token) == match.start() and token.isdigit()  # of a list
    return match["mark"] != "." or bool(match["close"]) or not (is_number or _goes_on(token, word))


def _is_run_together(token: str, match: re.Match[str], word: str) -> bool:
    """Whether two sentences meet without a space: "burned.The army", not "U.S.Army", "3.5" or "www.army.mil"."""
    if "." in token or len(token) < 2 or len(word) < 2:
        return False
    return (word[0].isupper() and word[1:].islower() and not token[-1].isupper()) or (
        word.isupper() and token.isupper() and word.casefold() in _OPENERS
    )


def _goes_on(token: str, word: str) -> bool:
    """Whether a token and its full stop are an abbreviation in mid-sentence."""
    opens = word.casefold() in (_OPENERS if word.isupper() and len(word) > 1 else _OPENERS | _LINKS)
    token, word = token.casefold(), word.casefold()
    if token in _TITLES:
        return True
    if token in _BEFORE_NUMBER:
        return word[0].isdigit()
    if token in _HOURS:
        return word in _AFTER_HOURS or (word in _LINKS and not opens)
    initials = all(len(part) == 1 for part in token.split("."))
    return (token in _EITHER or initials) and not opens
