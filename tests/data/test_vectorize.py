"""What a checkpoint keeps of columns: any text has the row that it has in a corpus."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import encode, read_back
from imdbclf.data.term_weights import TermWeights
from imdbclf.data.text_rows import encode_texts
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary

VOCABULARY = Vocabulary(("good", "not good", "not", "at all", "not good at"))
WEIGHTS = np.array([0.1, 2, -3, 0.5, -1, -4], dtype=np.float32)
WEIGHTINGS = st.builds(TermWeights, st.sampled_from([None, WEIGHTS]), st.booleans())
TEXTS = st.lists(st.sampled_from(["good", "not", "at", "all"]), max_size=6).map(" ".join)


def test_without_a_weighting_a_row_is_of_ones() -> None:
    columns, values = Vectorizer(VOCABULARY).row_of("Not good, at all!")
    assert columns.tolist() == [0, 1, 2, 3, 4, 5]
    assert values is None
    assert len(Vectorizer(VOCABULARY)) == 6


def test_a_row_holds_the_weights_of_its_terms() -> None:
    columns, values = Vectorizer(VOCABULARY, TermWeights(WEIGHTS)).row_of("not good")
    assert (columns.tolist(), values is not None and values.tolist()) == ([1, 2, 3], [2, -3, 0.5])
    assert [part is not None and part.tolist() for part in Vectorizer(VOCABULARY, TermWeights(WEIGHTS)).row_of("")] == [
        [],
        [],
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), WEIGHTINGS)
def test_a_text_alone_among_others_and_in_a_corpus_has_the_same_row(texts: list[str], weighting: TermWeights) -> None:
    features = Vectorizer(VOCABULARY, weighting)
    corpus = encode(train=[(text, 0) for text in texts])
    ordered = [" ".join(words) for words, _ in read_back(corpus, corpus.parts["train"])]
    for matrix, alone in (
        (encode_texts(features, texts), texts),
        (features.encode(corpus, corpus.parts["train"]), ordered),
    ):
        rows = [features.row_of(text) for text in alone]
        np.testing.assert_array_equal(matrix.columns, np.concatenate([columns for columns, _ in rows]))
        assert matrix.values is not None
        expected = np.concatenate([values for _, values in rows if values is not None])
        np.testing.assert_array_equal(matrix.values, expected)


@pytest.mark.parametrize("unit_length", [True, False])
def test_chosen_rows_are_encoded_with_their_values(unit_length: bool) -> None:
    features = Vectorizer(VOCABULARY, TermWeights(WEIGHTS, unit_length))
    corpus = encode(train=[("not " * number + "good", 0) for number in range(5)])
    whole, part = (features.encode(corpus, corpus.parts["train"], rows) for rows in (None, np.array([1, 3])))
    expected = whole.take(np.array([1, 3]))
    np.testing.assert_array_equal(part.columns, expected.columns)
    assert part.values is not None
    np.testing.assert_array_equal(part.values, expected.values)
