from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import matrix_of
from imdbclf.data import multihot
from imdbclf.data.multihot import MultiHotMatrix, distinct_pairs, gathered, row_blocks, rows_at_once

WIDTHS = st.sampled_from([1, 2, 7, 1 << 16, (1 << 16) + 9])


def rows_of(matrix: MultiHotMatrix) -> list[list[int]]:
    return [matrix.row(number).tolist() for number in range(len(matrix))]


@st.composite
def rows_and_width(draw: st.DrawFn) -> tuple[list[list[int]], int]:
    width = draw(WIDTHS)
    return draw(st.lists(st.lists(st.integers(0, width - 1), max_size=8), max_size=9)), width


@settings(max_examples=50, deadline=None)
@given(rows_and_width())
def test_a_row_is_its_distinct_columns_ascending(case: tuple[list[list[int]], int]) -> None:
    rows, width = case
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


def test_the_order_and_the_repeats_of_words_leave_no_trace() -> None:
    assert rows_of(matrix_of([[3, 1, 3, 0], [0, 1, 3], [1, 1, 0, 3, 0]], 5)) == [[0, 1, 3]] * 3


def test_as_many_rows_are_made_at_once_as_fit_the_bits_of_a_key() -> None:
    assert [rows_at_once(width) for width in (1, 2, 3, 4, 5, 1 << 16, (1 << 16) + 1)] == [
        1 << bits for bits in (31, 31, 30, 30, 29, 16, 15)
    ]
    # The greatest key there is.
    n, width = rows_at_once(1 << 30), 1 << 30
    last_row, last_column = np.array([n - 1], dtype=np.uint32), np.array([width - 1], dtype=np.int32)
    lengths, columns = distinct_pairs(last_row, last_column, n, width)
    assert (lengths.tolist(), columns.tolist()) == ([0] * (n - 1) + [1], [width - 1])


@pytest.mark.parametrize(
    ("n", "blocks"), [(0, []), (1, [(0, 1)]), (3, [(0, 3)]), (4, [(0, 3), (3, 4)]), (6, [(0, 3), (3, 6)])]
)
def test_blocks_cover_all_rows_once(n: int, blocks: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multihot, "BLOCK", 3)
    assert list(row_blocks(n, 10)) == blocks


def test_the_dense_matrix_is_never_built() -> None:
    columns = np.random.default_rng(0).integers(0, 10_000, size=20_000 * 50, dtype=np.int32)
    tracemalloc.start()
    try:
        rows = np.repeat(np.arange(20_000, dtype=np.uint32), 50)
        gathered([distinct_pairs(rows, columns, 20_000, 10_000)], 10_000).take(np.arange(512))
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


def test_gathered_rows_of_several_matrices_stand_one_after_the_other() -> None:
    several = [matrix_of([[1], [], [0, 2]], 3), matrix_of([], 3), matrix_of([[2]], 3)]
    both = gathered(((np.diff(each.offsets), each.columns) for each in several), 3)
    assert rows_of(both) == [[1], [], [0, 2], [2]]
    assert both.width == 3
