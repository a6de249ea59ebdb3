from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import matrix_of
from imdbclf.data import batches
from imdbclf.data.batches import ReviewBatch, csr_tensor, cut_batches, dense_tensor, transposed_csr_tensor
from imdbclf.settings import Layout

ROWS = st.lists(st.lists(st.integers(0, 6), max_size=8), max_size=9)


def cut(
    n: int, rows: list[int], batch_size: int, layout: Layout = "csr", *, training: bool = False
) -> list[ReviewBatch]:
    """Of n reviews, of which the k-th holds the words 0 … k modulo 7 and is positive if k is odd."""
    matrix = matrix_of([list(range(number % 7 + 1)) for number in range(n)], 7)
    labels = (np.arange(n) % 2).astype(np.int8)
    return list(cut_batches(matrix, labels, np.array(rows, dtype=np.int64), batch_size, layout, training=training))


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_the_dense_tensor_holds_a_one_for_each_word(rows: list[list[int]]) -> None:
    dense = dense_tensor(matrix_of(rows, 7))
    assert dense.dtype == torch.float32
    assert dense.tolist() == [[float(column in row) for column in range(7)] for row in rows]


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_sparse_dense_and_transposed_tensors_are_the_same_matrix(rows: list[list[int]]) -> None:
    matrix = matrix_of(rows, 7)
    sparse, dense, transpose = csr_tensor(matrix), dense_tensor(matrix), transposed_csr_tensor(matrix)
    assert sparse.layout == transpose.layout == torch.sparse_csr
    assert (sparse.shape, transpose.shape) == ((len(rows), 7), (7, len(rows)))
    assert torch.equal(sparse.to_dense(), dense)
    assert torch.equal(transpose.to_dense(), dense.T)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_the_sparse_tensors_hold_their_invariants_with_short_indices(rows: list[list[int]]) -> None:
    for tensor in (csr_tensor(matrix_of(rows, 7)), transposed_csr_tensor(matrix_of(rows, 7))):
        crow, col, values = tensor.crow_indices(), tensor.col_indices(), tensor.values()
        assert crow.dtype == col.dtype == torch.int32
        assert values.dtype == torch.float32
        torch.sparse_csr_tensor(crow, col, values, size=tensor.shape, check_invariants=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 19), max_size=40), st.integers(1, 50), st.integers(1, 50))
def test_batches_are_the_given_rows_in_their_order_whatever_the_window(
    rows: list[int], batch_size: int, window: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "WINDOW", window)
        found = cut(20, rows, batch_size, training=True)
    assert [len(batch.labels) for batch in found[:-1]] == [batch_size] * (len(found) - 1)
    assert len(found) == -(-len(rows) // batch_size)
    assert [float(label) for batch in found for label in batch.labels] == [float(row % 2) for row in rows]
    words = [int(count) for batch in found for count in batch.features.to_dense().sum(dim=1)]
    assert words == [row % 7 + 1 for row in rows]


def test_a_batch_has_features_labels_and_in_training_the_transpose() -> None:
    (batch,) = cut(10, [7, 0, 3], 3, training=True)
    assert batch.labels.dtype == torch.float32
    assert batch.labels.tolist() == [1.0, 0.0, 1.0]
    assert batch.features.to_dense().sum(dim=1).tolist() == [1.0, 1.0, 4.0]
    assert batch.transpose is not None
    assert torch.equal(batch.transpose.to_dense(), batch.features.to_dense().T)


@pytest.mark.parametrize(("layout", "training"), [("csr", False), ("dense", False), ("dense", True)])
def test_no_transpose_is_made_where_none_is_used(layout: Layout, training: bool) -> None:
    assert cut(5, [1, 2], 2, layout, training=training)[0].transpose is None


def test_the_layouts_give_equal_batches() -> None:
    rows = [40, 3, 3, *range(30)]
    for sparse, dense in zip(cut(50, rows, 8), cut(50, rows, 8, "dense"), strict=True):
        assert (sparse.features.layout, dense.features.layout) == (torch.sparse_csr, torch.strided)
        assert torch.equal(sparse.features.to_dense(), dense.features)
        assert torch.equal(sparse.labels, dense.labels)


def test_making_batches_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(cut(20, list(range(20)), 8, training=True)) == 3
