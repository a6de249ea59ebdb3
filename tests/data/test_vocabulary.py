from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import LABELLED, TEST, TEXTS, TRAIN, encode
from imdbclf.data.cache import CachedCorpus
from imdbclf.data.encoding import encode_corpus
from imdbclf.data.module import ReviewDataModule
from imdbclf.data.multihot import encode_reviews
from imdbclf.data.sources.folder import FolderSource
from imdbclf.data.vocabulary import Vocabulary, learn_vocabulary, word_counts


def vocabulary_of(texts: list[str], size: int = 100) -> Vocabulary:
    corpus = encode(train=[(text, 0) for text in texts])
    return learn_vocabulary(corpus.dictionary, word_counts(corpus, corpus.parts["train"]), size)


def test_the_most_frequent_word_has_column_1() -> None:
    vocabulary = vocabulary_of(["b a c", "a b", "A, a"])
    assert vocabulary.words == ("a", "b", "c")
    assert vocabulary.column == {"a": 1, "b": 2, "c": 3}


def test_every_occurrence_counts_not_every_review() -> None:
    assert vocabulary_of(["rare rare rare", "common", "common"]).words == ("rare", "common")


def test_words_of_equal_frequency_stand_in_descending_code_point_order() -> None:
    assert vocabulary_of(["brilliant viewer é zz z", "film film"]).words == (
        "film",
        "é",
        "zz",
        "z",
        "viewer",
        "brilliant",
    )


@pytest.mark.parametrize(
    ("size", "words"), [(3, ("a", "b")), (4, ("a", "b", "c")), (5, ("a", "b", "c")), (99, ("a", "b", "c"))]
)
def test_one_column_is_for_unknown_words_and_there_are_no_more_columns_than_words(
    size: int, words: tuple[str, ...]
) -> None:
    vocabulary = vocabulary_of(["a a a b b c"], size)
    assert vocabulary.words == words
    assert len(vocabulary) == len(words) + 1


def test_a_word_of_the_other_rows_alone_has_no_column() -> None:
    corpus = encode(train=[("seen here", 0), ("unseen there", 1)], test=[("tested", 0)])
    train = corpus.parts["train"]
    rows = np.flatnonzero(train.labels == 0)
    vocabulary = learn_vocabulary(corpus.dictionary, word_counts(corpus, train, rows), 100)
    assert set(vocabulary.words) == {"seen", "here"}
    assert vocabulary.columns_of("unseen tested").tolist() == [0]


def test_words_are_counted_in_the_chosen_rows() -> None:
    corpus = encode(train=[("a a b", 0), ("b c", 1)])
    train = corpus.parts["train"]
    assert word_counts(corpus, train).tolist() == [2, 2, 1]
    assert word_counts(corpus, train, np.flatnonzero(train.labels == 1)).tolist() == [0, 1, 1]
    assert word_counts(corpus, train, np.array([], dtype=np.int64)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("text", "columns"), [("", []), ("...", []), ("C a!", [1, 3]), ("zzz a zzz A", [0, 1]), ("zzz", [0])]
)
def test_a_text_has_these_columns(text: str, columns: list[int]) -> None:
    found = Vocabulary(("a", "b", "c")).columns_of(text)
    assert found.dtype == np.int32
    assert found.tolist() == columns


@settings(max_examples=50, deadline=None)
@given(LABELLED)
def test_the_columns_of_a_text_are_its_row_of_the_matrix(reviews: list[tuple[str, int]]) -> None:
    corpus = encode(train=TRAIN, other=reviews)
    vocabulary = learn_vocabulary(corpus.dictionary, word_counts(corpus, corpus.parts["train"]), 10)
    matrix = encode_reviews(corpus.parts["other"], vocabulary.columns_of_words(corpus.dictionary), len(vocabulary))
    rows = [matrix.row(number).tolist() for number in range(len(matrix))]
    assert sorted(rows) == sorted(vocabulary.columns_of(text).tolist() for text, _ in reviews)


def test_a_row_decodes_to_its_words_most_frequent_first() -> None:
    vocabulary = vocabulary_of(["the the the film film good"])
    assert vocabulary.decode(vocabulary.columns_of("Good film? Good, good, unheard the")) == [
        "?",
        "the",
        "film",
        "good",
    ]
    assert vocabulary.decode(vocabulary.columns_of("")) == []


def test_the_words_of_a_dictionary_have_their_columns() -> None:
    columns = Vocabulary(("film", "a")).columns_of_words(pa.array(["a", "b", "film", ""]))
    assert columns.dtype == np.int32
    assert columns.tolist() == [2, 0, 1, 0]
    assert Vocabulary(("film", "a")).columns_of_words(pa.array(["", "a"]), blank=3).tolist() == [3, 2]


@given(st.lists(TEXTS, max_size=5))
def test_a_vocabulary_as_text_reads_back_the_same(texts: list[str]) -> None:
    vocabulary = vocabulary_of(texts)
    assert Vocabulary.from_text(vocabulary.as_text()) == vocabulary


def test_the_order_of_the_source_does_not_change_the_vocabulary() -> None:
    texts = [text for text, _ in [*TRAIN, *TEST]]
    assert vocabulary_of(texts, 12).words == vocabulary_of(texts[::-1], 12).words


def test_the_real_training_reviews_have_88582_words(encoded_imdb: CachedCorpus) -> None:
    corpus = encoded_imdb.corpus
    assert np.count_nonzero(word_counts(corpus, corpus.parts["train"])) == 88_582


def test_the_real_words_have_the_ranks_that_keras_publishes(encoded_imdb: CachedCorpus) -> None:
    corpus = encoded_imdb.corpus
    words = learn_vocabulary(corpus.dictionary, word_counts(corpus, corpus.parts["train"]), 10_000).words
    assert words[:7] == ("the", "and", "a", "of", "to", "is", "br")
    assert words[19 - 1] == "film"
    assert words[527 - 1] == "brilliant"
    assert len(words) == 9_999


def test_real_texts_have_the_columns_of_their_rows(
    real_imdb: Path, encoded_imdb: CachedCorpus, imdb_module: ReviewDataModule
) -> None:
    texts = FolderSource(real_imdb).read().parts["test"].slice(12_400, 200)
    test, vocabulary = encoded_imdb.corpus.parts["test"], imdb_module.vocabulary
    ids = [int(encode_corpus({"one": texts.slice(row, 1)}).parts["one"].ids[0]) for row in range(len(texts))]
    matrix = imdb_module.prepared.matrices["test"]
    for text, number in zip(texts["text"].to_pylist(), ids, strict=True):
        row = int(np.flatnonzero(test.ids == number)[0])
        np.testing.assert_array_equal(matrix.row(row), vocabulary.columns_of(text))
