from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imdbclf.data.cache import LoadedCorpus
from imdbclf.data.split import joined, part_count, split_rows
from imdbclf.errors import UserError

GROUPS = st.lists(st.integers(0, 12) | st.integers(0, 2**64 - 1), max_size=40).map(
    lambda groups: np.array(groups, dtype=np.uint64)
)
SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=50, deadline=None)
@given(GROUPS, st.integers(0, 45), SEEDS)
def test_the_parts_are_disjoint_and_complete_and_divide_no_group(
    groups: npt.NDArray[np.uint64], count: int, seed: int
) -> None:
    train, val = split_rows(groups, count, seed)
    assert sorted([*train, *val]) == list(range(len(groups)))
    assert not set(groups[train]) & set(groups[val])
    assert list(train) == sorted(train)
    assert list(val) == sorted(val)


@settings(max_examples=50, deadline=None)
@given(GROUPS, st.integers(0, 45), SEEDS)
def test_the_validation_part_is_as_large_as_undivided_groups_allow(
    groups: npt.NDArray[np.uint64], count: int, seed: int
) -> None:
    train, val = split_rows(groups, count, seed)
    left = np.unique(groups[train], return_counts=True)[1]
    assert len(val) <= count
    assert all(size > count - len(val) for size in left)


@settings(max_examples=50, deadline=None)
@given(GROUPS, st.integers(0, 45), SEEDS, st.integers(0, 99))
def test_the_order_of_the_rows_leaves_no_trace(
    groups: npt.NDArray[np.uint64], count: int, seed: int, order: int
) -> None:
    shuffled = np.random.default_rng(order).permutation(groups)
    before, after = split_rows(groups, count, seed), split_rows(shuffled, count, seed)
    for part in (0, 1):
        assert sorted(groups[before[part]]) == sorted(shuffled[after[part]])


def test_the_split_of_ten_reviews_is_this_one() -> None:
    train, val = split_rows(np.arange(10, dtype=np.uint64), 4, seed=0)
    assert (train.tolist(), val.tolist()) == ([0, 2, 3, 6, 8, 9], [1, 4, 5, 7])


def test_another_seed_gives_another_split() -> None:
    groups = np.arange(1_000, dtype=np.uint64)
    splits = [frozenset(split_rows(groups, 400, seed)[1].tolist()) for seed in range(20)]
    assert len(set(splits)) == 20
    # Independent draws of 40 % share 16 % of the reviews.
    assert 110 < len(splits[0] & splits[1]) < 210


def test_a_group_that_no_longer_fits_is_passed_over() -> None:
    groups = np.array([1, 1, 1, 2, 3, 4], dtype=np.uint64)
    for seed in range(20):
        assert len(split_rows(groups, 3, seed)[1]) == 3
        assert set(groups[split_rows(groups, 2, seed)[1]]) <= {2, 3, 4}


def test_a_group_larger_than_the_validation_part_stays_in_training() -> None:
    train, val = split_rows(np.array([7, 7, 7], dtype=np.uint64), 2, seed=0)
    assert (train.tolist(), val.tolist()) == ([0, 1, 2], [])


@pytest.mark.parametrize(
    ("val_size", "n", "count"),
    [(10_000, 25_000, 10_000), (0.4, 25_000, 10_000), (0, 25_000, 0), (0.0, 25_000, 0), (0.26, 10, 3), (1, 2, 1)],
)
def test_a_validation_size_means_this_many_reviews(val_size: float, n: int, count: int) -> None:
    assert part_count(val_size, n) == count


@pytest.mark.parametrize(
    ("val_size", "n", "value", "reviews"),
    [(25_000, 25_000, "25000", "25,000"), (10_000, 8, "10000", "8"), (0.96, 8, "0.96", "8"), (1, 1, "1", "1")],
)
def test_a_validation_part_that_leaves_nothing_to_train_on_is_refused(
    val_size: float, n: int, value: str, reviews: str
) -> None:
    with pytest.raises(UserError) as refusal:
        part_count(val_size, n)
    assert str(refusal.value) == (
        f"data.val_size={value}: must be below the {reviews} training reviews (a count, or a fraction below 1)"
        "; data.val_size=0.2 fits"
    )


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_the_real_reviews_give_exactly_10000_for_validation(encoded_imdb: LoadedCorpus, seed: int) -> None:
    reviews = encoded_imdb.corpus.parts["train"]
    train, val = split_rows(reviews.sequences, 10_000, seed)
    assert (len(train), len(val)) == (15_000, 10_000)
    assert 4_800 < reviews.labels[val].sum() < 5_200


def test_no_normalised_text_is_on_both_sides_of_the_real_split(encoded_imdb: LoadedCorpus) -> None:
    reviews = encoded_imdb.corpus.parts["train"]
    starts, ends = reviews.offsets[:-1], reviews.offsets[1:]
    texts = np.array(
        [reviews.words[start:end].tobytes() for start, end in zip(starts, ends, strict=True)], dtype=object
    )
    train, val = split_rows(reviews.sequences, 10_000, seed=0)
    assert not set(texts[train]) & set(texts[val])
    # The test would notice: taken by position, some texts are on both sides.
    repeats = len(texts) - len(set(texts))
    assert repeats >= 96


def test_the_real_split_does_not_depend_on_the_order_of_the_rows(encoded_imdb: LoadedCorpus) -> None:
    groups = encoded_imdb.corpus.parts["train"].sequences
    shuffled = np.random.default_rng(0).permutation(groups)
    one, other = split_rows(groups, 10_000, 3)[1], split_rows(shuffled, 10_000, 3)[1]
    np.testing.assert_array_equal(np.sort(groups[one]), np.sort(shuffled[other]))


SMALL = st.integers(0, 9)
REVIEWS = st.lists(st.tuples(SMALL, SMALL), min_size=1, max_size=40).map(lambda rows: np.array(rows, dtype=np.uint64))
"""Rows of (words, group): few of each, so that they join in every way."""


def parts_of(reviews: npt.NDArray[np.uint64], count: int, seed: int) -> list[npt.NDArray[np.uint64]]:
    return [reviews[rows] for rows in split_rows(joined(reviews[:, 0], reviews[:, 1]), count, seed)]


@settings(max_examples=50, deadline=None)
@given(REVIEWS, st.integers(0, 45), SEEDS)
def test_neither_equal_words_nor_a_group_is_on_both_sides(
    reviews: npt.NDArray[np.uint64], count: int, seed: int
) -> None:
    train, val = parts_of(reviews, count, seed)
    assert len(train) + len(val) == len(reviews)
    for column in (0, 1):
        assert not set(train[:, column]) & set(val[:, column])


@settings(max_examples=50, deadline=None)
@given(REVIEWS)
def test_what_is_joined_shares_words_or_a_group_step_by_step_and_goes_by_its_smallest_words(
    reviews: npt.NDArray[np.uint64],
) -> None:
    # The slow way: what a review is joined with grows until nothing more is added.
    expected = []
    for words, group in reviews.tolist():
        texts, groups = {words}, {group}
        for _ in reviews:
            near = [(text, name) for text, name in reviews.tolist() if text in texts or name in groups]
            texts, groups = {text for text, _ in near}, {name for _, name in near}
        expected.append(min(texts))
    assert joined(reviews[:, 0], reviews[:, 1]).tolist() == expected


@settings(max_examples=50, deadline=None)
@given(REVIEWS, st.integers(0, 45), SEEDS, st.integers(0, 99))
def test_with_groups_the_order_of_the_rows_leaves_no_trace(
    reviews: npt.NDArray[np.uint64], count: int, seed: int, order: int
) -> None:
    shuffled = np.random.default_rng(order).permutation(reviews)
    for before, after in zip(parts_of(reviews, count, seed), parts_of(shuffled, count, seed), strict=True):
        assert sorted(before.tolist()) == sorted(after.tolist())


@settings(max_examples=50, deadline=None)
@given(GROUPS)
def test_groups_that_join_nothing_leave_the_split_as_it_was(sequences: npt.NDArray[np.uint64]) -> None:
    for groups in (np.arange(len(sequences), dtype=np.uint64), sequences):
        np.testing.assert_array_equal(joined(sequences, groups), sequences)


def test_many_reviews_of_the_same_words_and_group_are_joined() -> None:
    sequences, groups = np.repeat(np.arange(2, dtype=np.uint64), 256), np.full(512, 2**63, dtype=np.uint64)
    assert joined(sequences, groups).tolist() == [0] * 512
