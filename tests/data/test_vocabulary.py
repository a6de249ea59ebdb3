from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.helpers import TEXTS, encode
from imdbclf.data.selection import learn_vocabulary
from imdbclf.data.tokenize import tokenize
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.settings import FeatureSettings


def learnt(texts: list[str], columns: int = 100, order: int = 1) -> Vocabulary:
    corpus = encode(train=[(text, 0) for text in texts])
    return learn_vocabulary(corpus, corpus.parts["train"], FeatureSettings(columns=columns, order=order))


@pytest.mark.parametrize(
    ("text", "columns"), [("", []), ("...", []), ("C a!", [1, 3]), ("zzz a zzz A", [0, 1]), ("zzz", [0])]
)
def test_a_text_has_these_columns(text: str, columns: list[int]) -> None:
    found = Vocabulary(("a", "b", "c")).columns_of(tokenize(text))
    assert found.dtype == np.int32
    assert found.tolist() == columns


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("not good", [0, 1, 2]),
        ("Not -- GOOD; not good!", [0, 1, 2]),
        ("good not", [0, 1]),
        ("not a good", [0, 1]),
        ("of the best", [0, 3]),
        ("the best of", [0]),
        ("good", [1]),
        ("not", [0]),
    ],
)
def test_a_text_has_the_columns_of_its_n_grams_too(text: str, columns: list[int]) -> None:
    # Words of an n-gram that are no terms themselves stay unknown.
    assert Vocabulary(("good", "not good", "of the best")).columns_of(tokenize(text)).tolist() == columns


def test_a_row_decodes_to_its_words_most_frequent_first() -> None:
    vocabulary = learnt(["the the the film film good"])
    assert vocabulary.decode(vocabulary.columns_of(tokenize("Good film? Good, good, unheard the"))) == [
        "?",
        "the",
        "film",
        "good",
    ]
    assert vocabulary.decode(vocabulary.columns_of(tokenize(""))) == []


def test_a_row_decodes_to_its_n_grams() -> None:
    vocabulary = Vocabulary(("good", "not good", "a b c"))
    assert vocabulary.decode(vocabulary.columns_of(tokenize("A, b: c! Not good"))) == ["?", "good", "not good", "a b c"]


@given(st.lists(TEXTS, max_size=5))
def test_a_vocabulary_as_text_reads_back_the_same(texts: list[str]) -> None:
    vocabulary = learnt(texts)
    assert Vocabulary.from_text(vocabulary.as_text()) == vocabulary


def test_n_grams_as_text_read_back_the_same() -> None:
    vocabulary = learnt(["not good at all", "not good"], 10, order=3)
    assert vocabulary.order == 3
    assert Vocabulary.from_text(vocabulary.as_text()) == vocabulary


@pytest.mark.parametrize(("terms", "order"), [((), 1), (("a",), 1), (("a b", "a"), 2), (("a", "a b c"), 3)])
def test_the_order_is_that_of_the_longest_term(terms: tuple[str, ...], order: int) -> None:
    assert Vocabulary(terms).order == order
