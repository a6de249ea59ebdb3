"""The terms of many reviews at once: what `Vocabulary.columns_of` finds text by text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import encode, read_back
from imdbclf.data import multihot, term_lookup
from imdbclf.data.text_rows import encode_texts
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError

WORDS = st.sampled_from(["a", "b", "c", "é", "unheard"])
TEXTS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=8)
VOCABULARIES = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "é", "nowhere"]), min_size=1, max_size=3).map(" ".join),
    unique=True,
    max_size=12,
).map(lambda terms: Vocabulary(tuple(terms)))
"""N-grams whose words and parts are terms themselves, or not."""


@settings(max_examples=200, deadline=None)
@given(VOCABULARIES, TEXTS)
def test_the_rows_of_many_texts_are_those_of_each(vocabulary: Vocabulary, texts: list[str]) -> None:
    matrix = encode_texts(Vectorizer(vocabulary), texts)
    assert matrix.width == len(vocabulary)
    assert [matrix.row(number).tolist() for number in range(len(texts))] == [
        vocabulary.columns_of(text).tolist() for text in texts
    ]


@settings(max_examples=60, deadline=None)
@given(VOCABULARIES, TEXTS, st.sampled_from([1, 3, 2048]), st.data())
def test_so_are_the_rows_of_a_corpus_and_of_any_part_of_it(
    vocabulary: Vocabulary, texts: list[str], block: int, data: st.DataObject
) -> None:
    corpus = encode(train=[(text, 0) for text in texts])
    reviews = corpus.parts["train"]
    # The rows of a corpus stand in an order of their own.
    ordered = [" ".join(words) for words, _ in read_back(corpus, reviews)]
    chosen = sorted(data.draw(st.sets(st.integers(0, len(texts) - 1)))) if texts else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multihot, "BLOCK", block)
        whole = Vectorizer(vocabulary).encode(corpus, reviews)
        part = Vectorizer(vocabulary).encode(corpus, reviews, np.array(chosen, dtype=np.int64))
    assert [whole.row(number).tolist() for number in range(len(texts))] == [
        vocabulary.columns_of(text).tolist() for text in ordered
    ]
    assert [part.row(number).tolist() for number in range(len(chosen))] == [whole.row(n).tolist() for n in chosen]


def test_no_n_gram_goes_over_the_border_of_two_reviews() -> None:
    rows = encode_texts(Vectorizer(Vocabulary(("a b", "a b c"))), ["a", "b c", "", "x a", "b", "a b", "c"])
    assert [rows.row(number).tolist() for number in range(7)] == [[0], [0], [], [0], [0], [0, 1], [0]]


def test_a_triple_is_found_where_neither_its_pairs_nor_its_words_are_terms() -> None:
    rows = encode_texts(Vectorizer(Vocabulary(("a b a",))), ["a b a b a", "b a b", "a b"])
    assert [rows.row(number).tolist() for number in range(3)] == [[0, 1], [0], [0]]


def test_the_words_of_a_dictionary_have_their_columns() -> None:
    tables = Vocabulary(("film", "a", "not good")).tables
    columns = tables.over(pa.array(["a", "b", "film", "", "good"])).of_words
    assert columns.dtype == np.int32
    assert columns.tolist() == [2, 0, 1, 0, 0]
    assert tables.over(pa.array([], pa.string())).of_words.tolist() == []


@pytest.mark.parametrize(("terms", "order"), [((), 1), (("a",), 1), (("a b",), 2), (("a b c",), 3)])
def test_the_tables_know_the_words_of_the_longest_term(terms: tuple[str, ...], order: int) -> None:
    assert Vocabulary(terms).tables.over(pa.array(["a"])).order == order


def test_more_words_than_keys_can_tell_apart_are_refused_in_n_grams_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term_lookup, "MOST_WORDS", 3)
    assert len(Vocabulary(("a", "b", "c", "d")).tables.words) == 4
    with pytest.raises(UserError, match=r"^n-grams of 4 different words: at most 3 can be told apart$"):
        _ = Vocabulary(("a b", "c d")).tables
