"""What stands in the rows instead of ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import matrix_of
from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.data.term_weights import TermWeights, learn_term_weights, log_odds, naive_bayes
from imdbclf.settings import FeatureSettings

ROWS = st.lists(st.lists(st.integers(0, 6), max_size=8), max_size=9)
WEIGHTS = np.array([0.5, -1.25, 0, 3, -0.1, 2e-3, 7], dtype=np.float32)
WEIGHTINGS = st.builds(TermWeights, st.sampled_from([None, WEIGHTS]), st.booleans())


def values_of(matrix: MultiHotMatrix, number: int) -> list[float]:
    """The values of a row."""
    values = np.ones(len(matrix.columns)) if matrix.values is None else matrix.values
    found: list[float] = values[matrix.offsets[number] : matrix.offsets[number + 1]].tolist()
    return found


def test_log_odds_are_those_of_the_paper() -> None:
    # p = (1 + 2, 1 + 0, 1 + 1), q = (1 + 1, 1 + 3, 1 + 1): of 6 and of 8.
    found = log_odds(np.array([2, 0, 1]), np.array([1, 3, 1]), smoothing=1.0)
    expected = [math.log((3 / 6) / (2 / 8)), math.log((1 / 6) / (4 / 8)), math.log((2 / 6) / (2 / 8))]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(ROWS.filter(lambda rows: len(rows) > 1), ROWS.filter(bool), st.data())
def test_naive_bayes_is_that_of_the_textbook(
    train: list[list[int]], rows: list[list[int]], data: st.DataObject
) -> None:
    labels = [0, 1, *data.draw(st.lists(st.integers(0, 1), min_size=len(train) - 2, max_size=len(train) - 2))]
    counts = [
        [1 + sum(k in set(row) for row, one in zip(train, labels, strict=True) if one == label) for k in range(7)]
        for label in (0, 1)
    ]
    scores = [
        [
            math.log(labels.count(label)) + sum(math.log(counts[label][k] / sum(counts[label])) for k in set(row))
            for label in (0, 1)
        ]
        for row in rows
    ]
    found = naive_bayes(matrix_of(train, 7), np.array(labels, np.int8), matrix_of(rows, 7))
    for (negative, positive), answer in zip(scores, found.tolist(), strict=True):
        assert answer == (positive > negative) or math.isclose(positive, negative, abs_tol=1e-9)


def test_weights_count_the_training_reviews_of_each_label_that_hold_a_term() -> None:
    # Reviews, not occurrences: a matrix knows of no repeats.
    matrix = matrix_of([[1, 1, 2], [1], [0, 2], [2, 3, 3]], 4)
    learnt = learn_term_weights(
        FeatureSettings(weighting="log_odds", smoothing=0.5), matrix, np.array([1, 1, 0, 0], "i1")
    )
    assert learnt.by_column is not None
    assert learnt.by_column.dtype == np.float32
    assert not learnt.unit_length
    positive, negative = [0.5, 2.5, 1.5, 0.5], [1.5, 0.5, 2.5, 1.5]
    expected = [math.log((p / 5) / (q / 6)) for p, q in zip(positive, negative, strict=True)]
    np.testing.assert_allclose(learnt.by_column, expected, rtol=1e-6)


def test_ones_need_no_weighting_and_their_rows_may_have_length_1() -> None:
    matrix, labels = matrix_of([[0], [1]], 2), np.array([0, 1], dtype=np.int8)
    assert learn_term_weights(FeatureSettings(), matrix, labels).are_ones
    assert learn_term_weights(FeatureSettings(unit_length=True), matrix, labels) == TermWeights(None, unit_length=True)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_a_value_is_the_weight_of_its_column(rows: list[list[int]]) -> None:
    matrix = matrix_of(rows, 7).weighted(TermWeights(WEIGHTS))
    for number, row in enumerate(rows):
        assert values_of(matrix, number) == WEIGHTS[sorted(set(row))].tolist()


@settings(max_examples=100, deadline=None)
@given(ROWS, st.sampled_from([None, WEIGHTS]))
def test_rows_have_length_1_in_the_direction_of_their_weights_and_rows_of_nothing_stay_so(
    rows: list[list[int]], weights: np.ndarray | None
) -> None:
    matrix = matrix_of(rows, 7).weighted(TermWeights(weights, unit_length=True))
    for number, row in enumerate(rows):
        plain = np.ones(len(set(row))) if weights is None else weights[sorted(set(row))].astype(np.float64)
        length = math.sqrt((plain**2).sum())
        np.testing.assert_allclose(values_of(matrix, number), plain / (length or 1), rtol=1e-6)


def test_the_values_of_a_review_are_to_the_bit_the_same_in_whatever_batch() -> None:
    random = np.random.default_rng(0)
    matrix = matrix_of([random.integers(0, 5_000, size=150).tolist() for _ in range(8_000)], 5_000)
    weighted = matrix.weighted(TermWeights(random.normal(size=5_000).astype(np.float32), unit_length=True))
    whole = weighted.values
    batches = [weighted.between(start, start + 50).values for start in range(0, 8_000, 50)]
    np.testing.assert_array_equal(np.concatenate([values for values in batches if values is not None]), whole)


@settings(max_examples=50, deadline=None)
@given(ROWS, WEIGHTINGS, st.data())
def test_values_stay_with_their_rows(rows: list[list[int]], weighting: TermWeights, data: st.DataObject) -> None:
    matrix = matrix_of(rows, 7).weighted(weighting)
    order = data.draw(st.permutations(range(len(rows))))
    first = data.draw(st.integers(0, len(rows)))
    taken, after = matrix.take(np.array(order, dtype=np.int64)), matrix.between(first, len(rows))
    for number in range(len(rows)):
        assert values_of(taken, number) == values_of(matrix, order[number])
    for number in range(len(rows) - first):
        assert values_of(after, number) == values_of(matrix, first + number)


@pytest.mark.parametrize("smoothing", [0.1, 1.0])
def test_a_term_that_tells_nothing_weighs_nothing(smoothing: float) -> None:
    assert log_odds(np.array([3, 1]), np.array([3, 1]), smoothing).tolist() == [0, 0]
