from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import LABELLED, TEST, TEXTS, TRAIN, encode, read_back, table
from imdbclf.data import corpus as corpus_module
from imdbclf.data.corpus import CHUNK, GROUPED_SCHEMA, SCHEMA, Corpus, EncodedReviews, encode_corpus, text_hashes
from imdbclf.data.tokenize import tokenize


def same(one: Corpus, other: Corpus) -> bool:
    """Whether two corpora are equal bit for bit."""
    return bool(one.dictionary.equals(other.dictionary)) and all(
        one.parts[name].table.equals(other.parts[name].table) for name in one.parts.keys() | other.parts.keys()
    )


def without_rows(corpus: Corpus) -> Corpus:
    parts = {name: EncodedReviews(reviews.table.drop_columns(["row"])) for name, reviews in corpus.parts.items()}
    return Corpus(corpus.dictionary, parts)


@settings(max_examples=50, deadline=None)
@given(LABELLED, LABELLED)
def test_the_numbered_words_of_a_review_read_back_as_its_words(
    train: list[tuple[str, int]], test: list[tuple[str, int]]
) -> None:
    corpus = encode(train=train, test=test)
    for part, reviews in (("train", train), ("test", test)):
        expected = [(tokenize(text), label) for text, label in reviews]
        assert sorted(read_back(corpus, corpus.parts[part])) == sorted(expected)


@settings(max_examples=50, deadline=None)
@given(LABELLED, LABELLED, st.randoms(use_true_random=False))
def test_the_order_of_the_source_leaves_a_trace_only_in_the_row_numbers(
    train: list[tuple[str, int]], test: list[tuple[str, int]], chance: random.Random
) -> None:
    shuffled = chance.sample(train, len(train)), chance.sample(test, len(test))
    corpus, other = encode(train=train, test=test), encode(test=shuffled[1], train=shuffled[0])
    assert same(without_rows(corpus), without_rows(other))
    for part, texts in (("train", shuffled[0]), ("test", shuffled[1])):
        reviews = other.parts[part]
        hashes = [text_hashes(pa.array([texts[row][0]]))[0] for row in reviews.rows]
        assert [*zip(hashes, reviews.labels, strict=True)] == [
            (one, texts[row][1]) for one, row in zip(reviews.ids, reviews.rows, strict=True)
        ]


@settings(max_examples=50, deadline=None)
@given(LABELLED, st.integers(1, 5), st.integers(1, 5))
def test_neither_threads_nor_pieces_leave_a_trace(train: list[tuple[str, int]], chunk: int, piece: int) -> None:
    in_pieces = pa.concat_tables(
        [table(train[start : start + piece]) for start in range(0, len(train), piece)] or [table([])]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_module, "CHUNK", chunk)
        pieces = encode_corpus({"train": in_pieces})
    assert same(encode(train=train), pieces)


def test_more_reviews_than_fit_a_chunk_keep_their_words_and_labels() -> None:
    reviews = [(f"review {number} of many", number % 2) for number in range(corpus_module.CHUNK + 5)]
    corpus = encode(train=reviews)
    assert sorted(read_back(corpus, corpus.parts["train"])) == sorted(
        (tokenize(text), label) for text, label in reviews
    )


def test_the_dictionary_is_every_word_of_all_parts_once_in_code_point_order() -> None:
    corpus = encode(train=[("b é a", 0), ("Z b", 1)], test=[("~ 0 c", 0)])
    assert corpus.dictionary.to_pylist() == ["0", "a", "b", "c", "z", "é"]


def test_a_part_is_a_table_of_the_schema_with_its_lists_in_one_piece() -> None:
    corpus = encode(train=TRAIN, test=TEST)
    for part, count in (("train", 8), ("test", 3)):
        reviews = corpus.parts[part]
        assert reviews.table.schema == SCHEMA
        assert reviews.table.column("words").num_chunks == 1
        assert len(reviews) == len(reviews.ids) == len(reviews.sequences) == len(reviews.labels) == count
        assert reviews.offsets[0] == 0
        assert reviews.offsets[-1] == len(reviews.words)
        np.testing.assert_array_equal(reviews.lengths, np.diff(reviews.offsets))


def test_equal_texts_have_equal_ids_in_whichever_part_and_company() -> None:
    corpus = encode(train=[("A film.", 1), ("other words", 0), ("A film.", 0)], test=[("A film.", 1)])
    ids = corpus.parts["train"].ids
    assert sorted(np.unique(ids, return_counts=True)[1]) == [1, 2]
    assert corpus.parts["test"].ids[0] in ids
    assert encode(train=[("A film.", 0)]).parts["train"].ids[0] in ids


@pytest.mark.parametrize(
    ("one", "other"), [("A fine film!", "a fine, film"), ("x<br />y", "X br Y"), ("", " ... "), ("É", "é")]
)
def test_texts_that_differ_in_punctuation_or_case_alone_share_a_group_but_no_id(one: str, other: str) -> None:
    reviews = encode(train=[(one, 0), (other, 1), ("something else", 0)]).parts["train"]
    assert len(set(reviews.sequences.tolist())) == 2
    assert len(set(reviews.ids.tolist())) == 3


@pytest.mark.parametrize(("one", "other"), [("good not bad", "bad not good"), ("a", "a a"), ("a b", "ab"), ("a", "")])
def test_other_words_or_another_order_make_another_group(one: str, other: str) -> None:
    assert len(set(encode(train=[(one, 0), (other, 1)]).parts["train"].sequences.tolist())) == 2


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXTS, min_size=2, max_size=12))
def test_two_reviews_share_a_group_exactly_if_their_words_are_the_same(texts: list[str]) -> None:
    corpus = encode(train=[(text, 0) for text in texts])
    rows = [tuple(words) for words, _ in read_back(corpus, corpus.parts["train"])]
    groups = corpus.parts["train"].sequences.tolist()
    assert len(set(rows)) == len(set(groups)) == len(set(zip(rows, groups, strict=True)))


def test_a_group_does_not_depend_on_the_other_reviews() -> None:
    alone = encode(train=[("A fine fine film", 1)]).parts["train"].sequences[0]
    assert alone in encode(train=[*TRAIN, ("zebra aardvark", 0)], test=TEST).parts["train"].sequences


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["...", "", "a"]])
def test_reviews_without_words_are_reviews(texts: list[str]) -> None:
    corpus = encode(train=[(text, 0) for text in texts])
    assert len(corpus.parts["train"]) == len(texts)
    assert sorted(corpus.parts["train"].lengths) == sorted(len(tokenize(text)) for text in texts)


def test_review_names_are_unique_and_number_the_repeats() -> None:
    names = encode(train=TRAIN).parts["train"].review_names()
    assert len(set(names)) == len(TRAIN)
    assert [name[16:] for name in sorted(names) if "-" in name] == ["-2"]


def test_a_review_is_named_by_its_text_alone() -> None:
    alone = encode(train=[("NA", 1)]).parts["train"].review_names()
    assert alone == ["55ea81318d1e694b"]
    company = encode(train=TRAIN).parts["train"].review_names()
    assert {"55ea81318d1e694b", "55ea81318d1e694b-2"} < set(company)
    assert company == encode(train=TRAIN[::-1]).parts["train"].review_names()


def grouped(reviews: list[tuple[str, int]], groups: list[str | None]) -> EncodedReviews:
    read = table(reviews).append_column("group", pa.array(groups, pa.string()))
    return encode_corpus({"train": read}).parts["train"]


def group_of(reviews: EncodedReviews, text: str) -> int:
    """The hash of the group of the one review with this text."""
    assert reviews.groups is not None
    (row,) = np.flatnonzero(reviews.ids == encode(train=[(text, 0)]).parts["train"].ids[0])
    return int(reviews.groups[row])


def test_groups_are_kept_as_hashes_of_their_names() -> None:
    reviews = grouped([("a", 0), ("b", 1), ("c", 0)], ["one", "two", "one"])
    assert reviews.table.schema == GROUPED_SCHEMA
    assert group_of(reviews, "a") == group_of(reviews, "c") != group_of(reviews, "b")
    alone = grouped([("z", 1)], ["one"])
    assert group_of(alone, "z") == group_of(reviews, "a")


def test_a_review_without_a_group_is_one_of_its_own() -> None:
    reviews = grouped([("a", 0), ("b", 1), ("c", 0), ("d", 0), ("e", 0)], [None, "", None, "a", "e"])
    assert len({group_of(reviews, text) for text in "abcde"}) == 5


def test_without_groups_none_are_kept() -> None:
    reviews = encode(train=TRAIN).parts["train"]
    assert reviews.groups is None
    assert "group" not in reviews.table.column_names


def test_groups_change_nothing_else_and_their_order_in_the_source_leaves_no_trace() -> None:
    groups: list[str | None] = [f"film {number % 3}" for number in range(len(TRAIN))]
    reviews = grouped(TRAIN, groups)
    assert reviews.table.drop_columns(["group"]).equals(encode(train=TRAIN).parts["train"].table)
    others = grouped(TRAIN[::-1], groups[::-1]).table
    assert others.drop_columns(["row"]).equals(reviews.table.drop_columns(["row"]))


def test_groups_of_many_chunks_stay_with_their_reviews() -> None:
    count = CHUNK + 7
    reviews = grouped([(f"word{number}", 0) for number in range(count)], [f"{number % 5}" for number in range(count)])
    for number in (0, CHUNK - 1, CHUNK, count - 1):
        assert group_of(reviews, f"word{number}") == group_of(grouped([("a", 0)], [f"{number % 5}"]), "a")
