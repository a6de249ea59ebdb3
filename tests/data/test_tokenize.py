from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import TEXTS
from imdbclf.data.arrow import strings
from imdbclf.data.tokenize import text_bytes, tokenize, tokenize_many


def keras_words(text: str) -> list[str]:
    """`keras.preprocessing.text.text_to_word_sequence` with its defaults, one step after the other."""
    text = text.lower()
    for character in '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n':
        text = text.replace(character, " ")
    return [word for word in text.split(" ") if word]


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_the_words_of_any_text_are_those_of_keras(text: str) -> None:
    assert tokenize(text) == keras_words(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" .,- \t\n", []),
        ("It's <br />GREAT!", ["it's", "br", "great"]),
        ("well-made, 10/10 (really)", ["well", "made", "10", "10", "really"]),
        ("tab\tline\nend", ["tab", "line", "end"]),
        ("a\rb", ["a\rb"]),
        ("a\xa0b", ["a\xa0b"]),
        ("a\u3000b", ["a\u3000b"]),
        ("İ", ["i̇"]),
        ("ß ẞ", ["ß", "ß"]),
        ("ΑΣ", ["ας"]),
        ("\u212a", ["k"]),
        ("«oui»—non", ["«oui»—non"]),
        ("the the the", ["the", "the", "the"]),
    ],
)
def test_a_text_has_these_words(text: str, words: list[str]) -> None:
    assert tokenize(text) == words


@pytest.mark.parametrize("character", '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n ')
def test_each_filtered_character_parts_words(character: str) -> None:
    assert tokenize(f"a{character}b") == ["a", "b"]
    assert tokenize(f"é{character}b") == ["é", "b"]


def test_the_apostrophe_is_the_only_ascii_punctuation_that_stays() -> None:
    stays = [chr(code) for code in range(33, 127) if not chr(code).isalnum() and len(tokenize(f"a{chr(code)}b")) == 1]
    assert stays == ["'"]


def test_half_of_a_surrogate_pair_parts_words_as_punctuation_does() -> None:
    assert tokenize("good\udce9film") == ["good", "film"]


PUNCTUATED = st.lists(st.sampled_from([*"aé.:;!?, ", "good"]), max_size=12).map("".join)


def words_with_ends(text: str) -> list[str]:
    """Each run of equal ends of sentences as one word among the others, by a regular expression."""
    text = text.lower().replace(":", ".").replace(";", ".")
    for character in '"#$%&()*+,-/<=>@[\\]^_`{|}~\t\n':
        text = text.replace(character, " ")
    return [word for word in re.sub(r"([.!?])\1*", r" \1 ", text).split(" ") if word]


@settings(max_examples=200, deadline=None)
@given(TEXTS | PUNCTUATED)
def test_with_sentence_ends_each_run_of_equal_ends_is_a_word(text: str) -> None:
    assert tokenize(text, sentence_ends=True) == words_with_ends(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("...", ["."]),
        ("Good. Bad", ["good", ".", "bad"]),
        ("What?! No!!!", ["what", "?", "!", "no", "!"]),
        ("so: a; b", ["so", ".", "a", ".", "b"]),
        ("a.;:b", ["a", ".", "b"]),
        ("a . . b", ["a", ".", ".", "b"]),
        ("é.", ["é", "."]),
    ],
)
def test_a_text_with_sentence_ends_has_these_words(text: str, words: list[str]) -> None:
    assert tokenize(text, sentence_ends=True) == words


def words_of_many(texts: pa.Array, *, sentence_ends: bool = False) -> list[list[str]]:
    lists = tokenize_many(texts, sentence_ends=sentence_ends).to_pylist()
    return [[word for word in words if word] for words in lists]


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS | PUNCTUATED, max_size=10), st.integers(0, 10), st.integers(0, 10), st.booleans())
def test_many_texts_at_once_have_the_words_of_each_also_in_a_slice(
    texts: list[str], start: int, length: int, sentence_ends: bool
) -> None:
    part = pa.array(texts, pa.string()).slice(min(start, len(texts)), length)
    assert words_of_many(part, sentence_ends=sentence_ends) == [
        tokenize(text, sentence_ends=sentence_ends) for text in part.to_pylist()
    ]


def test_a_sentence_end_at_the_border_of_two_texts_is_a_word_of_each() -> None:
    texts = pa.array(["good.", ".", "", ". bad!", "!"], pa.string())
    assert words_of_many(texts, sentence_ends=True) == [["good", "."], ["."], [], [".", "bad", "!"], ["!"]]


@pytest.mark.parametrize("text", ["İ", "ß ẞ", "ΑΣ", "\u212a", "«oui»—non", "a\rb", "It's <br />GREAT!"])
def test_a_text_beyond_ascii_leaves_its_neighbours_alone(text: str) -> None:
    assert words_of_many(pa.array(["é A", text, "x, Y"], pa.string())) == [["é", "a"], tokenize(text), ["x", "y"]]


@pytest.mark.parametrize("texts", [[], [""], ["", "..."]])
def test_texts_without_words_have_none(texts: list[str]) -> None:
    assert words_of_many(pa.array(texts, pa.string())) == [[] for _ in texts]


def test_the_bytes_of_a_slice_begin_at_its_first_text() -> None:
    data, offsets = text_bytes(pa.array(["zero", "één", "two", "three"]).slice(1, 2))
    assert data.decode() == "ééntwo"
    assert offsets.tolist() == [0, 5, 8]


@pytest.mark.parametrize("sentence_ends", [False, True])
def test_half_of_a_surrogate_pair_is_a_blank_alone_and_among_many(sentence_ends: bool) -> None:
    text = "a\udcff b\ud83dc?"
    words = ["a", "b", "c", *(["?"] if sentence_ends else [])]
    assert tokenize(text, sentence_ends=sentence_ends) == words
    (many,) = tokenize_many(strings([text]), sentence_ends=sentence_ends).to_pylist()
    assert list(filter(None, many)) == words
