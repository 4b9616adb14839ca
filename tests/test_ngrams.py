import unicodedata
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paratype import ngrams
from paratype.ngrams import LEAD_WORDS, NgramIndex, text_array, words


def plain_words(text: str) -> list[str]:
    """What `words` does, one character at a time."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in decomposed if unicodedata.category(char) != "Mn").lower()
        text = "".join(char if char.isascii() or unicodedata.category(char)[0] in "LN" else " " for char in text)
    folded = "".join(
        "0" if char in "0123456789" else char if char.isalpha() or not char.isascii() else " " for char in text
    )
    return folded.lower().split(" ")


def split(texts: list[str]) -> list[list[str]]:
    values, offsets = words(text_array(texts))
    found = values.to_pylist()
    return [[word for word in found[a:b] if word] for a, b in pairwise(offsets)]


# Letters of scripts that Python and Arrow lower-case and decompose by the same Unicode version.
FAMILIAR = st.text(
    alphabet=st.one_of(
        st.characters(max_codepoint=0x24F, exclude_characters="İŉ"),
        st.sampled_from("’‘“”–—…\u00a0ʿʾحمرينКиїв東京é́ẖṣṬ½²№"),
    ),
    max_size=60,
)


@given(st.lists(FAMILIAR, max_size=8))
def test_words_are_those_of_the_plain_slow_path(texts):
    assert split(texts) == [[word for word in plain_words(text) if word] for text in texts]


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_text_gives_the_same_counts_alone_and_in_company(texts):
    index = NgramIndex(("attack", "said", "the"), 8)
    together = index.matrix(text_array(texts)).toarray()
    alone = np.concatenate([index.matrix(text_array([text])).toarray() for text in texts])
    np.testing.assert_array_equal(together, alone)


PUNCTUATED = st.text(alphabet=st.characters(max_codepoint=0x2100) | st.sampled_from(" ae1"), max_size=40)


@given(st.lists(PUNCTUATED | FAMILIAR, min_size=1, max_size=6))
def test_blanking_punctuation_first_changes_no_word(texts):
    array = text_array(texts)
    folded = ngrams._fold_beyond_ascii(ngrams._blank_punctuation(array))
    slowly = ngrams._fold_beyond_ascii(array)
    assert [text.lower().split() for text in folded.to_pylist()] == [
        text.lower().split() for text in slowly.to_pylist()
    ]


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
    tidy = [" ".join(word for word in plain_words(text) if word) for text in texts]
    for row, text in zip(index.scorer(weights)(text_array(tidy)), tidy, strict=True):
        np.testing.assert_allclose(row, plain_product(index, weights, text), atol=1e-5)


def test_accents_quotes_dashes_and_digits_are_folded():
    assert split(["Šešelj’s “MEN” in Ma’rib—1,200…"]) == [["seselj", "s", "men", "in", "ma", "rib", "0", "000"]]


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
