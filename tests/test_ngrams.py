import unicodedata
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from paratype import ngrams
from paratype.ngrams import LEAD_WORDS, NgramIndex, text_array
from paratype.words import Vocabulary, split


def plain_words(text: str) -> list[str]:
    """What `split` does, one character at a time."""
    folded = ""
    for char in unicodedata.normalize("NFKD", text):
        kind = unicodedata.category(char)
        if char.isascii():
            folded += "0" if char.isdigit() else char.lower() if char.isalpha() else " "
        elif kind != "Mn":
            folded += (
                "".join(part for part in char.lower() if unicodedata.category(part) != "Mn") if kind[0] in "LN" else " "
            )
    return folded.split()


def split_words(texts: list[str]) -> list[list[str]]:
    found = split(text_array(texts))
    strings = found.strings().to_pylist()
    return [strings[a:b] for a, b in pairwise(found.offsets)]


# Letters next to the signs and accents that reporting has, and any character at all.
FAMILIAR = st.text(
    alphabet=st.one_of(
        st.characters(max_codepoint=0x24F), st.sampled_from("’‘“”–—…\u00a0ʿʾحمرينКиїв東京é́ẖṣṬ½²№ aeiou 190,.")
    ),
    max_size=60,
)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.lists(FAMILIAR | ANY, max_size=8))
def test_words_are_those_of_the_plain_slow_path(texts):
    assert split_words(texts) == [plain_words(text) for text in texts]


def test_every_character_is_folded_as_on_the_plain_slow_path():
    chars = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    texts = ["a" + "b".join(chars[start : start + 4096]) for start in range(0, len(chars), 4096)]
    assert split_words(texts) == [plain_words(text) for text in texts]


@given(st.lists(st.text(alphabet="ab ", max_size=70), max_size=6))
def test_words_of_any_length_are_found_again(texts):
    vocabulary = sorted({word for text in texts for word in plain_words(text)})
    assume(len({(word.encode()[:32]) for word in vocabulary}) == len(vocabulary))
    places = Vocabulary(vocabulary[::2]).places(split(text_array(texts))).tolist()
    expected = [word for text in texts for word in plain_words(text)]
    assert places == [
        vocabulary[::2].index(word) if word in vocabulary[::2] else len(vocabulary[::2]) for word in expected
    ]


def test_a_large_vocabulary_is_found_whole():
    vocabulary = [f"{'x' * (n % 19)}q{''.join(chr(97 + int(d)) for d in str(n))}" for n in range(30_000)]
    places = Vocabulary(vocabulary).places(split(text_array([" ".join(vocabulary), "xq xqz"])))
    assert places.tolist() == [*range(30_000), 30_000, 30_000]


@pytest.mark.parametrize("words", [["a", "a"], ["a b"], [""], ["A", "a"]])
def test_a_vocabulary_of_anything_but_words_is_refused(words):
    with pytest.raises(ValueError, match="expected folded words, each once"):
        Vocabulary(words)


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_text_gives_the_same_counts_alone_and_in_company(texts):
    index = NgramIndex(("attack", "said", "the"), 8)
    together = index.matrix(text_array(texts)).toarray()
    alone = np.concatenate([index.matrix(text_array([text])).toarray() for text in texts])
    np.testing.assert_array_equal(together, alone)


def plain_product(index, weights, text):
    """What `NgramIndex.scorer` gives for one text, a word at a time."""
    size = len(index.vocabulary)
    places = [index.vocabulary.index(word) if word in index.vocabulary else None for word in plain_words(text)]
    opening = [place + size for place in places[:LEAD_WORDS] if place is not None]
    known = [place for place in places if place is not None]
    pairs = [
        2 * size + int(ngrams._hash_pairs(np.array([a], np.int32), np.array([b], np.int32), index.pair_bits)[0])
        for a, b in pairwise(places)
        if a is not None and b is not None
    ]
    return weights[known + opening + pairs].sum(axis=0) / np.sqrt(max(len(known), 1))


WORDY = st.lists(st.sampled_from(["attack", "said", "the", "Thé", "other", "’", ",", "’said"]), max_size=30)


@given(st.lists(WORDY.map(" ".join), max_size=6))
def test_scores_are_those_of_the_plain_slow_path_and_of_the_matrix(texts):
    index = NgramIndex(("attack", "said", "the"), 5)
    weights = np.random.default_rng(0).normal(size=(index.n_columns, 3)).astype(np.float32)
    product = index.scorer(weights)(text_array(texts))
    assert product.shape == (len(texts), 3)
    np.testing.assert_allclose(product, index.matrix(text_array(texts)) @ weights, atol=1e-5)
    for row, text in zip(product, texts, strict=True):
        np.testing.assert_allclose(row, plain_product(index, weights, text), atol=1e-5)


def test_accents_quotes_dashes_and_digits_are_folded():
    assert split_words(["Šešelj’s “MEN” in Ma’rib—1,200…"]) == [["seselj", "s", "men", "in", "ma", "rib", "0", "000"]]


def test_counts_of_a_small_text_by_hand():
    index = NgramIndex(("guns", "the", "town"), 6)
    (row,) = index.matrix(text_array(["The town, the unknown town"])).toarray()
    scale = 1 / np.sqrt(4)
    np.testing.assert_allclose(row[:6], np.array([0, 2, 2, 0, 2, 2]) * scale)
    assert row[6:].sum() == pytest.approx(2 * scale)  # "the town", "town the"; "unknown" parts the rest


def test_only_the_first_words_count_as_opening():
    index = NgramIndex(("far", "near"), 6)
    (row,) = index.matrix(text_array(["near " + "gap " * LEAD_WORDS + "far"])).toarray()
    assert row[2] == 0 < row[3]


def test_slices_and_other_arrow_types_are_read_right():
    texts = ["one", "two guns", None, "Gün’s guns"]
    index = NgramIndex(("guns", "one", "two"), 6)
    expected = index.matrix(text_array(["two guns", "", "Gün’s guns"])).toarray()
    for kind in (pa.string(), pa.large_string()):
        np.testing.assert_array_equal(index.matrix(text_array(pa.array(texts, kind).slice(1))).toarray(), expected)
    chunked = pa.chunked_array([texts[1:2], texts[2:]], pa.string())
    np.testing.assert_array_equal(index.matrix(text_array(chunked)).toarray(), expected)
    dictionary = pa.array(texts[1:]).dictionary_encode()
    np.testing.assert_array_equal(index.matrix(text_array(dictionary)).toarray(), expected)


def test_no_texts_give_no_rows():
    assert NgramIndex(("a",), 4).matrix(text_array([])).shape == (0, 18)


def test_lone_surrogates_become_question_marks():
    assert text_array(["a\ud800b"]).to_pylist() == ["a?b"]
