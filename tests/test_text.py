import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paratype.text import check_texts, paragraph_hash, paragraphs

LONG = (
    "The committee met for a third day and heard from the governor, who said that the road to the north would stay "
    "closed until the bridge was repaired, and that trucks should take the coast."
)


def texts(document: str) -> list[str]:
    return [paragraph.text for paragraph in paragraphs(document)]


def test_blank_lines_part_paragraphs():
    assert texts("One sentence here.\n\n \u00a0\nAnother one.\n") == ["One sentence here.", "Another one."]


def test_single_line_ends_part_paragraphs_when_lines_are_paragraphs():
    document = f"{LONG}\nA Long String of Troubles\n{LONG} Again.\nShort one.\n\n\n\nCOMMENTS"
    assert texts(document) == [LONG, "A Long String of Troubles", f"{LONG} Again.", "Short one.", "COMMENTS"]


@pytest.mark.parametrize("width", [50, 72, 100])
def test_hard_wrapped_lines_are_joined(width):
    document = "\n\n".join([textwrap.fill(LONG, width), "A heading", textwrap.fill(f"Second. {LONG}", width)])
    assert texts(document) == [LONG, "A heading", f"Second. {LONG}"]


URL = "https://example.org/" + "a" * 130


def test_a_long_address_does_not_stop_the_joining():
    text = f"{LONG} The report is at {URL} and was read by the whole committee. {LONG}"
    wrapped = textwrap.fill(text, 72, break_long_words=False, break_on_hyphens=False)
    assert f"\n{URL}\n" in wrapped
    assert texts(f"{wrapped}\n\nA heading\n\n{textwrap.fill(LONG, 72)}") == [text, "A heading", LONG]


def test_many_long_lines_stop_the_joining():
    lines = [*textwrap.wrap(LONG, 72), LONG, LONG, "The end."]
    assert texts("\n".join(lines)) == lines


def test_lists_of_short_lines_are_not_joined():
    assert texts("Home\nWorld news\nSport\nContact us") == ["Home", "World news", "Sport", "Contact us"]


def test_a_date_stamp_is_a_paragraph_of_its_own():
    assert texts(" date 2024-07-01 Armed groups met. They left.") == ["date 2024-07-01", "Armed groups met. They left."]
    assert texts("It happened on 2024-07-01 at noon.") == ["It happened on 2024-07-01 at noon."]


def test_windows_and_old_mac_line_ends():
    assert texts(f"{LONG}\r\n\r\nEnd.") == texts(f"{LONG}\r\rEnd.") == [LONG, "End."]


def test_an_empty_document_has_no_paragraphs():
    assert paragraphs("") == paragraphs(" \n\n\t") == []


@given(st.text(alphabet=st.sampled_from("ab. \n\r\t\u00a0\u2028é\u0301\x00\u202e1-"), max_size=300) | st.text())
def test_paragraphs_are_in_order_and_hold_every_character_once(document):
    cut = paragraphs(document)
    assert [paragraph.index for paragraph in cut] == list(range(len(cut)))
    position, outside = 0, ""
    for paragraph in cut:
        assert position <= paragraph.start < paragraph.end
        assert paragraph.text == " ".join(document[paragraph.start : paragraph.end].split()) != ""
        outside += document[position : paragraph.start]
        position = paragraph.end
    assert not (outside + document[position:]).strip()


@pytest.mark.parametrize("hostile", ["\n" * 200_000, "a " * 500_000, "word\n" * 100_000, "2024-01-01 " * 50_000])
def test_cutting_takes_linear_time(hostile):
    paragraphs(hostile)


def test_hash_ignores_case_punctuation_and_spacing():
    assert paragraph_hash("Shi’ite forces, 1,000 men.") == paragraph_hash("SHI'ITE  forces 1 000 men")
    assert paragraph_hash("ten men") != paragraph_hash("two men")


def test_a_bare_string_is_refused():
    with pytest.raises(TypeError, match=r"got a single str; put it in a list: \[text\]"):
        check_texts("one text")


def test_an_item_that_is_not_text_is_named_by_its_position():
    with pytest.raises(TypeError, match="got float at position 1"):
        check_texts(["fine", float("nan")])
