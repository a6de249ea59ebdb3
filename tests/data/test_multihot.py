from __future__ import annotations

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import matrix_of
from imdbclf.data import multihot
from imdbclf.data.multihot import MultiHotMatrix, multi_hot

WIDTHS = st.sampled_from([1, 2, 7, 1 << 16, (1 << 16) + 9])


def rows_of(matrix: MultiHotMatrix) -> list[list[int]]:
    return [matrix.row(number).tolist() for number in range(len(matrix))]


@st.composite
def rows_and_width(draw: st.DrawFn) -> tuple[list[list[int]], int]:
    width = draw(WIDTHS)
    return draw(st.lists(st.lists(st.integers(0, width - 1), max_size=8), max_size=9)), width


@settings(max_examples=50, deadline=None)
@given(rows_and_width(), st.sampled_from([1, 2, 3, 1 << 16]))
def test_a_row_is_its_distinct_columns_ascending_also_over_several_blocks(
    case: tuple[list[list[int]], int], block: int
) -> None:
    rows, width = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multihot, "BLOCK", block)
        matrix = matrix_of(rows, width)
    assert rows_of(matrix) == [sorted(set(row)) for row in rows]
    assert (len(matrix), matrix.width) == (len(rows), width)
    assert matrix.offsets.dtype == np.int64
    assert matrix.columns.dtype == np.int32


@settings(max_examples=50, deadline=None)
@given(rows_and_width(), st.data())
def test_rows_are_taken_in_the_given_order_with_repeats(case: tuple[list[list[int]], int], data: st.DataObject) -> None:
    rows, width = case
    matrix = matrix_of(rows, width)
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9)) if rows else []
    taken = matrix.take(np.array(chosen, dtype=np.int64))
    assert rows_of(taken) == [sorted(set(rows[number])) for number in chosen]
    assert taken.width == width


def test_a_full_block_and_one_row_more_are_encoded() -> None:
    n = (1 << 16) + 1
    columns = np.arange(n, dtype=np.int32) % 10
    matrix = multi_hot(np.arange(n + 1, dtype=np.int64), columns, 10)
    np.testing.assert_array_equal(matrix.columns, columns)
    np.testing.assert_array_equal(matrix.offsets, np.arange(n + 1))


def test_the_order_and_the_repeats_of_words_leave_no_trace() -> None:
    assert rows_of(matrix_of([[3, 1, 3, 0], [0, 1, 3], [1, 1, 0, 3, 0]], 5)) == [[0, 1, 3]] * 3


@pytest.fixture
def twenty_thousand() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    columns = np.random.default_rng(0).integers(0, 10_000, size=20_000 * 50, dtype=np.int32)
    return np.arange(0, len(columns) + 1, 50, dtype=np.int64), columns


def test_the_dense_matrix_is_never_built(
    twenty_thousand: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]],
) -> None:
    tracemalloc.start()
    try:
        multi_hot(*twenty_thousand, 10_000).take(np.arange(512))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # 20,000 × 10,000 zeros and ones take 200 MB even as single bytes; the rows' million words take 4 MB.
    assert peak < 60e6


def test_rows_between_two_are_a_matrix_of_their_own() -> None:
    matrix = matrix_of([[0], [3, 1], [], [2], [4]], 5)
    assert rows_of(matrix.between(1, 4)) == [[1, 3], [], [2]]
    assert rows_of(matrix.between(3, 9)) == [[2], [4]]
    assert np.shares_memory(matrix.between(1, 4).columns, matrix.columns)
