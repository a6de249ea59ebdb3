from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import TEXTS
from imdbclf.data import text_rows
from imdbclf.data.text_rows import encode_texts
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary

VOCABULARY = Vocabulary(("the", "a", "é", "b", "i̇"))
FEATURES = Vectorizer(VOCABULARY)


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=10), st.integers(1, 4))
def test_many_texts_have_the_rows_of_each(texts: list[str], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_rows, "CHUNK", chunk)
        matrix = encode_texts(FEATURES, texts)
    assert (len(matrix), matrix.width) == (len(texts), 6)
    assert [matrix.row(n).tolist() for n in range(len(texts))] == [VOCABULARY.columns_of(t).tolist() for t in texts]


def test_an_unknown_word_is_no_blank_and_a_blank_no_unknown_word() -> None:
    rows = encode_texts(FEATURES, ["", " ", "unheard", "the  a", "the, unheard"])
    assert [rows.row(number).tolist() for number in range(5)] == [[], [], [0], [1, 2], [0, 1]]


class Wide(Vocabulary):
    """As if there were terms for sixteen million columns."""

    def __len__(self) -> int:
        return 1 << 24


def test_more_texts_than_fit_a_sorted_number_at_once_are_encoded_one_after_the_other() -> None:
    rows = encode_texts(Vectorizer(Wide(VOCABULARY.terms)), ["the", "a", "unheard b"] * 200)
    assert [rows.row(number).tolist() for number in range(600)] == [[1], [2], [0, 4]] * 200


def test_what_is_no_character_parts_words() -> None:
    rows = encode_texts(FEATURES, ["the\udce9a", "b"])
    assert [rows.row(number).tolist() for number in range(2)] == [[1, 2], [4]]
