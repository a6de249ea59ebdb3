"""Any text has one row: alone, among many, and in a corpus."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import TEXTS, encode, read_back
from imdbclf.data import multihot
from imdbclf.data.cache import LoadedCorpus
from imdbclf.data.corpus import Corpus, encode_corpus
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.data.sources.folder import FolderSource
from imdbclf.data.term_weights import TermWeights
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary

VOCABULARY = Vocabulary(("good", "not good", "not", "at all", "not good at"))
WEIGHTS = np.array([0.1, 2, -3, 0.5, -1, -4], dtype=np.float32)
WORDS = st.sampled_from(["a", "b", "c", "é", ".", "unheard"])
SENTENCES = st.lists(st.lists(WORDS, max_size=8).map(" ".join) | TEXTS, max_size=8)
TERMS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "é", ".", "nowhere"]), min_size=1, max_size=3).map(" ".join),
    unique=True,
    max_size=12,
).map(tuple)
"""N-grams whose words and parts are terms themselves, or not."""


def rows_of(matrix: MultiHotMatrix) -> list[list[int]]:
    return [matrix.row(number).tolist() for number in range(len(matrix))]


def in_blocks_of(size: int, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(multihot, "BLOCK", size)


def test_a_row_without_term_weights_is_of_ones() -> None:
    columns, values = Vectorizer(VOCABULARY).row_of("Not good, at all!")
    assert columns.tolist() == [0, 1, 2, 3, 4, 5]
    assert columns.dtype == np.int32
    assert values is None
    assert len(Vectorizer(VOCABULARY)) == 6


def test_a_row_holds_the_weights_of_its_terms() -> None:
    weighted = Vectorizer(VOCABULARY, TermWeights(WEIGHTS))
    columns, values = weighted.row_of("not good")
    assert (columns.tolist(), values is not None and values.tolist()) == ([1, 2, 3], [2, -3, 0.5])
    assert [part is not None and part.tolist() for part in weighted.row_of("")] == [[], []]


@settings(max_examples=200, deadline=None)
@given(TERMS, SENTENCES, st.booleans(), st.booleans(), st.sampled_from([1, 3, 2048]))
def test_many_texts_have_the_rows_of_each(
    terms: tuple[str, ...], texts: list[str], weighted: bool, sentence_ends: bool, block: int
) -> None:
    vocabulary = Vocabulary(terms)
    weights = TermWeights(np.arange(len(vocabulary), dtype=np.float32), unit_length=True) if weighted else TermWeights()
    vectorizer = Vectorizer(vocabulary, weights, sentence_ends)
    with pytest.MonkeyPatch.context() as patch:
        in_blocks_of(block, patch)
        matrix = vectorizer.rows_of(texts)
    alone = [vectorizer.row_of(text) for text in texts]
    assert (len(matrix), matrix.width) == (len(texts), len(vocabulary))
    assert rows_of(matrix) == [columns.tolist() for columns, _ in alone]
    assert (matrix.values is not None) == weighted
    if matrix.values is not None:
        assert matrix.values.tolist() == [value for _, values in alone if values is not None for value in values]


@settings(max_examples=60, deadline=None)
@given(TERMS, SENTENCES, st.booleans(), st.sampled_from([1, 3, 2048]), st.data())
def test_reviews_of_a_corpus_and_of_any_part_of_it_have_the_rows_of_their_texts(
    terms: tuple[str, ...], texts: list[str], sentence_ends: bool, block: int, data: st.DataObject
) -> None:
    vectorizer = Vectorizer(Vocabulary(terms), sentence_ends=sentence_ends)
    corpus = encode(train=[(text, 0) for text in texts], sentence_ends=sentence_ends)
    reviews = corpus.parts["train"]
    # The rows of a corpus stand in an order of their own.
    ordered = [words for words, _ in read_back(corpus, reviews)]
    chosen = sorted(data.draw(st.sets(st.integers(0, len(texts) - 1)))) if texts else []
    with pytest.MonkeyPatch.context() as patch:
        in_blocks_of(block, patch)
        whole = vectorizer.encode(corpus, reviews)
        part = vectorizer.encode(corpus, reviews, np.array(chosen, dtype=np.int64))
    assert rows_of(whole) == [vectorizer.vocabulary.columns_of(words).tolist() for words in ordered]
    assert rows_of(part) == [rows_of(whole)[number] for number in chosen]


@pytest.mark.parametrize("unit_length", [True, False])
def test_chosen_rows_are_encoded_with_their_values(unit_length: bool) -> None:
    features = Vectorizer(VOCABULARY, TermWeights(WEIGHTS, unit_length))
    corpus = encode(train=[("not " * number + "good", 0) for number in range(5)])
    whole, part = (features.encode(corpus, corpus.parts["train"], rows) for rows in (None, np.array([1, 3])))
    expected = whole.take(np.array([1, 3]))
    np.testing.assert_array_equal(part.columns, expected.columns)
    assert part.values is not None
    np.testing.assert_array_equal(part.values, expected.values)


def test_no_n_gram_goes_over_the_border_of_two_texts() -> None:
    rows = Vectorizer(Vocabulary(("a b", "a b c"))).rows_of(["a", "b c", "", "x a", "b", "a b", "c"])
    assert rows_of(rows) == [[0], [0], [], [0], [0], [0, 1], [0]]


def test_a_triple_is_found_where_neither_its_pairs_nor_its_words_are_terms() -> None:
    rows = Vectorizer(Vocabulary(("a b a",))).rows_of(["a b a b a", "b a b", "a b"])
    assert rows_of(rows) == [[0, 1], [0], [0]]


def test_an_unknown_word_is_no_blank_and_a_blank_no_unknown_word() -> None:
    rows = Vectorizer(Vocabulary(("the", "a"))).rows_of(["", " ", "unheard", "the  a", "the, unheard"])
    assert rows_of(rows) == [[], [], [0], [1, 2], [0, 1]]


def test_half_of_a_surrogate_pair_parts_the_words_of_many_texts_too() -> None:
    assert rows_of(Vectorizer(Vocabulary(("the", "a", "b"))).rows_of(["the\udce9a", "b"])) == [[1, 2], [3]]


def test_more_texts_than_fit_the_bits_of_a_key_are_encoded_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    # Three columns take two bits of a key; two more are for four rows.
    monkeypatch.setattr(multihot, "KEY_BITS", 4)
    rows = Vectorizer(Vocabulary(("the", "a"))).rows_of(["the", "a", "unheard a"] * 200)
    assert rows_of(rows) == [[1], [2], [0, 2]] * 200


def every_word(corpus: Corpus) -> Vectorizer:
    """Gives every word of a corpus a column of its own."""
    return Vectorizer(Vocabulary(tuple(corpus.dictionary.to_pylist())))


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multihot, "IN_MEMORY", 100)


@pytest.mark.usefixtures("small_memory")
def test_a_matrix_beyond_memory_lies_in_a_file_that_goes_with_it(tmp_path: Path) -> None:
    corpus = encode(train=[(f"w{number} w{number + 1}", 0) for number in range(200)])
    reviews, vectorizer = corpus.parts["train"], every_word(corpus)
    in_memory, on_disk = (vectorizer.encode(corpus, reviews, disk=disk) for disk in (None, tmp_path / "new" / "deep"))
    assert (in_memory.on_disk, on_disk.on_disk) == (False, True)
    rows = np.random.default_rng(0).permutation(200)
    assert rows_of(on_disk.take(rows)) == rows_of(in_memory.take(rows))
    assert rows_of(on_disk.between(3, 9)) == rows_of(in_memory.between(3, 9))
    assert list((tmp_path / "new" / "deep").iterdir()) == []


def test_a_matrix_that_fits_memory_is_kept_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = encode(train=[("a b", 0), ("a", 1)])
    for limit, is_on_disk in ((3 * 4, False), (3 * 4 - 1, True)):
        monkeypatch.setattr(multihot, "IN_MEMORY", limit)
        assert every_word(corpus).encode(corpus, corpus.parts["train"], disk=tmp_path).on_disk == is_on_disk


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("obstacle", ["full", "in the way"])
def test_without_room_on_disk_a_warning_says_so_and_memory_is_used(
    obstacle: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if obstacle == "full":
        monkeypatch.setattr(multihot.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 0))  # type: ignore[attr-defined]
    else:
        (tmp_path / "cache").touch()
    corpus = encode(train=[(f"w{number} w{number + 1}", 0) for number in range(200)])
    matrix = every_word(corpus).encode(corpus, corpus.parts["train"], disk=tmp_path / "cache")
    assert not matrix.on_disk
    assert len(matrix) == 200
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"The multi-hot rows need 0 MB in {tmp_path / 'cache'} (")
    assert line.endswith("); keeping them in memory.")


def test_real_texts_have_the_columns_of_their_rows(
    real_imdb: Path, encoded_imdb: LoadedCorpus, imdb_module: ReviewDataModule
) -> None:
    texts = FolderSource(real_imdb).read().parts["test"].slice(12_400, 200)
    test, vocabulary = encoded_imdb.corpus.parts["test"], imdb_module.vocabulary
    ids = [int(encode_corpus({"one": texts.slice(row, 1)}).parts["one"].ids[0]) for row in range(len(texts))]
    matrix = imdb_module.prepared.matrices["test"]
    for text, number in zip(texts["text"].to_pylist(), ids, strict=True):
        row = int(np.flatnonzero(test.ids == number)[0])
        np.testing.assert_array_equal(matrix.row(row), Vectorizer(vocabulary).row_of(text)[0])
