import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paratype.sentences import sentences

# Texts made of what sentences turn on, beside free text.
PIECES = st.sampled_from(
    [
        *".!?…。؟\"'”)([ \n\t\u00a0",
        "\n\n",
        "Gen.",
        "U.S.",
        "p.m.",
        "The",
        "army",
        "ARMY",
        "No. 5",
        "1.",
        "[3]",
        "é",
        "𝔸",
    ]
)
TEXTS = st.text(max_size=60) | st.lists(PIECES, max_size=30).map("".join)


def cut(text):
    return [text[start:end] for start, end in sentences(text)]


@given(TEXTS)
@example("")
@example(" . ")
@example("\ud800. A")
@example("...\n\n!")
def test_sentences_cover_the_text_in_order(text):
    spans = sentences(text)
    position = 0
    for start, end in spans:
        assert position <= start < end and not text[position:start].strip()
        assert text[start:end] == text[start:end].strip()
        position = end
    assert not text[position:].strip()
    assert len(spans) == 1 or all(re.search(r"\w", text[start:end]) for start, end in spans)


@given(TEXTS)
def test_a_sentence_among_others_is_cut_as_it_is_alone(text):
    before, after = "Shells hit the port.", "Nobody was hurt."
    whole = cut(f"{before}\n\n{text}\n\n{after}")
    if re.search(r"\w\Z", text):  # signs alone would go with the sentence after them
        assert whole[0] == before and whole[-1] == after


@pytest.mark.parametrize(
    "text",
    [
        "Gen. Ali Hassan left.|The army stayed.",
        "He died at 5 p.m. Monday in a U.S. Army hospital.|The U.S. and Iraq said so.|He left the U.S.|No one stayed.",
        "They met at 9 a.m.|Soldiers came.|Lt. Col. J. R. Ortiz was there.",
        "THE U.S. TROOPS FIRED AT 5 P.M. ON MONDAY.|MR. X DIED.|HE LEFT THE U.S.|THE ARMY FIRED.",
        '"Leave now!" he said.|"We will strike."|The army said nothing.',
        "“They came.|They left.”|Then he died.",
        "The town burned.|The army left.|He asked who?|Nobody knew.",
        "shells hit the port.|no one died.",
        "It cost 3.5 million, says www.army.mil.|At least No. 5 died on Aug. 5.|No.|That is false.",
        "Killed.[3]|The army (see fig. 3) left.|(They came back.)",
        "He met St. John, e.g. in St. Petersburg, vs. Dr. A. Rahman et al.|In 1992.|30 died.",
        "1. The army will leave.|2. The police will stay.",
        "他们死了。|军队离开了。",
        "غادر الجيش؟|قتل خمسة.",
        "A heading\n\n|No one knew.\n \n|nothing",
        "Well... he said… no.|Then...|The end!?|Yes.",
    ],
)
def test_it_knows_where_sentences_end(text):
    parts = [part.strip() for part in text.split("|")]
    assert cut(text.replace("|", " ") if "。" not in text else text.replace("|", "")) == parts


@pytest.mark.parametrize("run_together", ["burned.The army", "who?Nobody knew", "left.”The army", "KILLED.THE ARMY"])
def test_a_missing_space_is_no_hindrance(run_together):
    assert len(cut(run_together)) == 2


@pytest.mark.parametrize("whole", ["U.S.Army", "3.5", "www.army.mil", "a.b.c", "node.js"])
def test_marks_inside_words_part_nothing(whole):
    assert cut(whole) == [whole]


@pytest.mark.parametrize(
    "piece", [". ", "a.", '."', "? ", "\n", ".\n\n", "[1]", ".[1", ".)", "A.B", "1. ", "U.S. ", "。"]
)
def test_hostile_text_takes_time_with_its_length_alone(piece):
    def seconds(count):
        start = time.process_time()
        sentences(piece * count)
        return time.process_time() - start

    # Eight times the text would take 64 times as long if any of it were looked at over and over.
    assert min(seconds(40000) for _ in range(2)) < 24 * max(0.002, min(seconds(5000) for _ in range(3)))
