"""N-grams as numbers: against slices of lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imdbclf.data.ngrams import (
    LONGEST,
    MOST_WORDS,
    WORD_BITS,
    Runs,
    last_words,
    longer_by_one,
    orders_of_keys,
    parts_of_keys,
    single_words,
    words_of_keys,
)

NUMBERS = st.integers(1, 4) | st.sampled_from([MOST_WORDS - 1, MOST_WORDS])
TERMS = st.lists(st.lists(NUMBERS, min_size=1, max_size=LONGEST).map(tuple), max_size=8)
REVIEWS = st.lists(st.lists(st.integers(0, 3), max_size=6), max_size=6)


def key_of(numbers: tuple[int, ...]) -> int:
    """The key of the n-gram of the words with these numbers."""
    return sum(number << WORD_BITS * place for place, number in enumerate(reversed(numbers)))


def keys_of(terms: list[tuple[int, ...]]) -> np.ndarray:
    return np.array([key_of(term) for term in terms], dtype=np.int64)


@given(TERMS)
def test_a_key_has_room_for_three_words_and_gives_them_back(terms: list[tuple[int, ...]]) -> None:
    padded = [[0] * (LONGEST - len(term)) + list(term) for term in terms]
    assert words_of_keys(keys_of(terms)).tolist() == padded
    assert orders_of_keys(keys_of(terms)).tolist() == [len(term) for term in terms]
    assert len(set(keys_of(terms).tolist())) == len(set(terms))


@given(TERMS)
def test_the_parts_of_an_n_gram_are_its_beginning_and_its_end(terms: list[tuple[int, ...]]) -> None:
    longer = [term for term in terms if len(term) > 1]
    expected = [key_of(term[:-1]) for term in longer] + [key_of(term[1:]) for term in longer]
    assert parts_of_keys(keys_of(terms)).tolist() == expected


@given(TERMS)
def test_keys_of_an_order_stand_in_the_order_of_their_words(terms: list[tuple[int, ...]]) -> None:
    for order in range(1, LONGEST + 1):
        same = [term for term in terms if len(term) == order]
        assert sorted(same, key=key_of) == sorted(same)


def runs_in(reviews: list[list[int]], order: int) -> list[tuple[int, int]]:
    """Where every n-gram of words other than 0 stands among all words, and its key."""
    found, begin = [], 0
    for words in reviews:
        for start in range(len(words) - order + 1):
            run = tuple(words[start : start + order])
            if 0 not in run:
                found.append((begin + start, key_of(run)))
        begin += len(words)
    return found


def pairs(runs: Runs) -> list[tuple[int, int]]:
    return list(zip(runs.begins.tolist(), runs.keys.tolist(), strict=True))


@settings(max_examples=200)
@given(REVIEWS)
def test_runs_grow_within_their_review_and_over_no_word_that_has_no_number(reviews: list[list[int]]) -> None:
    numbers = np.array([number for words in reviews for number in words], dtype=np.int64)
    last = last_words(np.array([len(words) for words in reviews], dtype=np.int64))
    runs = single_words(numbers)
    for order in range(1, LONGEST + 1):
        assert (runs.order, pairs(runs)) == (order, runs_in(reviews, order))
        runs = longer_by_one(runs, numbers, last)


@given(REVIEWS, st.randoms(use_true_random=False))
def test_a_run_grows_only_where_its_beginning_and_its_end_are_of_interest(
    reviews: list[list[int]], chance: st.DataObject
) -> None:
    numbers = np.array([number for words in reviews for number in words], dtype=np.int64)
    last = last_words(np.array([len(words) for words in reviews], dtype=np.int64))
    every = longer_by_one(single_words(numbers), numbers, last)
    mask = [chance.random() < 0.5 for _ in every.keys]  # type: ignore[attr-defined]
    kept = every.chosen(np.array(mask, dtype=np.bool_))
    begins = set(kept.begins.tolist())
    expected = [(begin, key) for begin, key in runs_in(reviews, 3) if {begin, begin + 1} <= begins]
    assert pairs(longer_by_one(kept, numbers, last)) == expected


@pytest.mark.parametrize(
    ("lengths", "last"), [([], []), ([0, 0], []), ([1], [True]), ([0, 2, 0, 1], [False, True, True])]
)
def test_the_last_word_of_each_review_is_marked(lengths: list[int], last: list[bool]) -> None:
    assert last_words(np.array(lengths, dtype=np.int64)).tolist() == last
