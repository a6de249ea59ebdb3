from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imdbclf.data.batches import (
    EpochOrder,
    MultiHotDataset,
    csr_tensor,
    dense_tensor,
    review_loader,
    transposed_csr_tensor,
)
from imdbclf.data.multihot import MultiHotMatrix, multi_hot
from imdbclf.settings import Layout

ROWS = st.lists(st.lists(st.integers(0, 6), max_size=8), max_size=9)


def matrix_of(rows: list[list[int]]) -> MultiHotMatrix:
    columns = np.array([column for row in rows for column in row], dtype=np.int32)
    return multi_hot(np.cumsum([0, *map(len, rows)], dtype=np.int64), columns, 7)


def dataset_of(n: int, layout: Layout = "csr", *, training: bool = False) -> MultiHotDataset:
    """Review k holds the words 0 … k modulo 7 and is positive if k is odd."""
    rows = [list(range(number % 7 + 1)) for number in range(n)]
    return MultiHotDataset(matrix_of(rows), (np.arange(n) % 2).astype(np.int8), layout, training=training)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_the_dense_tensor_holds_a_one_for_each_word(rows: list[list[int]]) -> None:
    dense = dense_tensor(matrix_of(rows))
    assert dense.dtype == torch.float32
    assert dense.tolist() == [[float(column in row) for column in range(7)] for row in rows]


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_sparse_dense_and_transposed_tensors_are_the_same_matrix(rows: list[list[int]]) -> None:
    matrix = matrix_of(rows)
    sparse, dense, transpose = csr_tensor(matrix), dense_tensor(matrix), transposed_csr_tensor(matrix)
    assert sparse.layout == transpose.layout == torch.sparse_csr
    assert (sparse.shape, transpose.shape) == ((len(rows), 7), (7, len(rows)))
    assert torch.equal(sparse.to_dense(), dense)
    assert torch.equal(transpose.to_dense(), dense.T)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_the_sparse_tensors_hold_their_invariants_with_short_indices(rows: list[list[int]]) -> None:
    for tensor in (csr_tensor(matrix_of(rows)), transposed_csr_tensor(matrix_of(rows))):
        crow, col, values = tensor.crow_indices(), tensor.col_indices(), tensor.values()
        assert crow.dtype == col.dtype == torch.int32
        assert values.dtype == torch.float32
        torch.sparse_csr_tensor(crow, col, values, size=tensor.shape, check_invariants=True)


def test_a_batch_has_features_labels_and_in_training_the_transpose() -> None:
    batch = dataset_of(10, training=True)[np.array([7, 0, 3])]
    assert batch.labels.dtype == torch.float32
    assert batch.labels.tolist() == [1.0, 0.0, 1.0]
    assert batch.features.to_dense().sum(dim=1).tolist() == [1.0, 1.0, 4.0]
    assert batch.transpose is not None
    assert torch.equal(batch.transpose.to_dense(), batch.features.to_dense().T)


@pytest.mark.parametrize(("layout", "training"), [("csr", False), ("dense", False), ("dense", True)])
def test_no_transpose_is_made_where_none_is_used(layout: Layout, training: bool) -> None:
    assert dataset_of(5, layout, training=training)[np.array([1, 2])].transpose is None


def test_the_layouts_give_equal_batches() -> None:
    loaders = [review_loader(dataset_of(50, layout), 8, seed=3) for layout in ("csr", "dense")]
    for sparse, dense in zip(*loaders, strict=True):
        assert (sparse.features.layout, dense.features.layout) == (torch.sparse_csr, torch.strided)
        assert torch.equal(sparse.features.to_dense(), dense.features)
        assert torch.equal(sparse.labels, dense.labels)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 40), st.integers(1, 50), st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_an_epoch_visits_every_row_once_the_last_batch_being_smaller(n: int, size: int, seed: int, epoch: int) -> None:
    order = EpochOrder(n, size, seed)
    order.set_epoch(epoch)
    batches = list(order)
    assert len(batches) == len(order) == -(-n // size)
    assert sorted(row for batch in batches for row in batch) == list(range(n))
    assert all(len(batch) == size for batch in batches[:-1])


def rows_of(order: EpochOrder, epoch: int) -> list[int]:
    order.set_epoch(epoch)
    return [int(row) for batch in order for row in batch]


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    order = EpochOrder(100, 7, seed=5)
    straight = [rows_of(order, epoch) for epoch in range(4)]
    assert rows_of(EpochOrder(100, 7, seed=5), 2) == straight[2]
    assert rows_of(EpochOrder(100, 30, seed=5), 2) == straight[2]
    assert rows_of(order, 1) == straight[1]
    assert len({tuple(rows) for rows in straight}) == 4
    assert rows_of(EpochOrder(100, 7, seed=6), 0) not in straight


def test_the_order_does_not_touch_or_use_the_common_generators() -> None:
    torch.manual_seed(1)
    first = rows_of(EpochOrder(100, 7, seed=5), 0)
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert rows_of(EpochOrder(100, 7, seed=5), 0) == first
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)


def test_without_a_seed_the_rows_come_in_their_own_order() -> None:
    order = EpochOrder(10, 4)
    assert rows_of(order, 0) == rows_of(order, 1) == list(range(10))


def test_a_loader_hands_on_the_batches_of_the_order() -> None:
    loader = review_loader(dataset_of(20), 8, seed=1)
    assert isinstance(loader.sampler, EpochOrder)
    loader.sampler.set_epoch(4)
    expected = rows_of(EpochOrder(20, 8, seed=1), 4)
    batches = list(loader)
    assert [len(batch.labels) for batch in batches] == [8, 8, 4]
    assert torch.cat([batch.labels for batch in batches]).tolist() == [float(row % 2) for row in expected]


def test_making_batches_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(review_loader(dataset_of(20, training=True), 8, seed=1))) == 3
