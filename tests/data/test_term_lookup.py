"""The columns of numbered words; that they are those of `Vocabulary.columns_of` is in test_vectorize.py."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from imdbclf.data import term_lookup
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError


def test_the_words_of_a_dictionary_have_their_columns() -> None:
    lookup = Vocabulary(("film", "a", "not good")).lookup
    columns = lookup.over(pa.array(["a", "b", "film", "", "good"])).of_words
    assert columns.dtype == np.int32
    assert columns.tolist() == [2, 0, 1, 0, 0]
    assert lookup.over(pa.array([], pa.string())).of_words.tolist() == []


def test_more_words_than_keys_can_tell_apart_are_refused_in_n_grams_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term_lookup, "MOST_WORDS", 3)
    assert len(Vocabulary(("a", "b", "c", "d")).lookup.words) == 4
    with pytest.raises(UserError, match=r"^n-grams of 4 different words: at most 3 can be told apart$"):
        _ = Vocabulary(("a b", "c d")).lookup


@pytest.mark.parametrize("count", [1, 400])
def test_few_n_grams_are_found_among_many_as_many_are(count: int) -> None:
    # Few keys are searched, many are hashed; the first and the last key are wanted, too.
    terms = tuple(f"{first} {second}" for first in "abcdefghij" for second in "jihgfedcba")
    for text in ("a j", "j a", "j j", "z a", "a z"):
        matrix = Vectorizer(Vocabulary(terms)).rows_of([text] * count)
        expected = Vocabulary(terms).columns_of(text.split())
        assert all(matrix.row(number).tolist() == expected.tolist() for number in range(count))
