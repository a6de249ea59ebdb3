from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import LABELLED, TEXTS, TRAIN, encode
from imdbclf.data.cache import LoadedCorpus
from imdbclf.data.corpus import encode_corpus
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.selection import learn_vocabulary
from imdbclf.data.sources.folder import FolderSource
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.settings import FeatureSettings


def learnt(texts: list[str], columns: int = 100, order: int = 1) -> Vocabulary:
    corpus = encode(train=[(text, 0) for text in texts])
    return learn_vocabulary(corpus, corpus.parts["train"], FeatureSettings(columns=columns, order=order))


@pytest.mark.parametrize(
    ("text", "columns"), [("", []), ("...", []), ("C a!", [1, 3]), ("zzz a zzz A", [0, 1]), ("zzz", [0])]
)
def test_a_text_has_these_columns(text: str, columns: list[int]) -> None:
    found = Vocabulary(("a", "b", "c")).columns_of(text)
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
    assert Vocabulary(("good", "not good", "of the best")).columns_of(text).tolist() == columns


@settings(max_examples=50, deadline=None)
@given(LABELLED)
def test_the_columns_of_a_text_are_its_row_of_the_matrix(reviews: list[tuple[str, int]]) -> None:
    corpus = encode(train=TRAIN, other=reviews)
    vocabulary = learn_vocabulary(corpus, corpus.parts["train"], FeatureSettings(columns=10))
    matrix = Vectorizer(vocabulary).encode(corpus, corpus.parts["other"])
    rows = [matrix.row(number).tolist() for number in range(len(matrix))]
    assert sorted(rows) == sorted(vocabulary.columns_of(text).tolist() for text, _ in reviews)


def test_a_row_decodes_to_its_words_most_frequent_first() -> None:
    vocabulary = learnt(["the the the film film good"])
    assert vocabulary.decode(vocabulary.columns_of("Good film? Good, good, unheard the")) == [
        "?",
        "the",
        "film",
        "good",
    ]
    assert vocabulary.decode(vocabulary.columns_of("")) == []


def test_a_row_decodes_to_its_n_grams() -> None:
    vocabulary = Vocabulary(("good", "not good", "a b c"))
    assert vocabulary.decode(vocabulary.columns_of("A, b: c! Not good")) == ["?", "good", "not good", "a b c"]


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


def test_real_texts_have_the_columns_of_their_rows(
    real_imdb: Path, encoded_imdb: LoadedCorpus, imdb_module: ReviewDataModule
) -> None:
    texts = FolderSource(real_imdb).read().parts["test"].slice(12_400, 200)
    test, vocabulary = encoded_imdb.corpus.parts["test"], imdb_module.vocabulary
    ids = [int(encode_corpus({"one": texts.slice(row, 1)}).parts["one"].ids[0]) for row in range(len(texts))]
    matrix = imdb_module.prepared.matrices["test"]
    for text, number in zip(texts["text"].to_pylist(), ids, strict=True):
        row = int(np.flatnonzero(test.ids == number)[0])
        np.testing.assert_array_equal(matrix.row(row), vocabulary.columns_of(text))
