from __future__ import annotations

import pytest
from hypothesis import given, settings

from data.helpers import TEXTS
from imdbclf.data.tokenize import tokenize


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
