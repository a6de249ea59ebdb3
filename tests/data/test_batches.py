from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import matrix_of
from imdbclf.data import batches
from imdbclf.data.batches import (
    FeatureDropout,
    KeptBatches,
    ReviewBatch,
    csr_tensor,
    cut_batches,
    dense_tensor,
    transposed_csr_tensor,
)
from imdbclf.data.term_weights import TermWeights
from imdbclf.setting_values import Layout

WEIGHTS = np.array([0.5, -1.25, 0, 3, -0.1, 2e-3, 7], dtype=np.float32)
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
def test_the_dense_tensor_holds_the_weight_of_each_word(rows: list[list[int]]) -> None:
    dense = dense_tensor(matrix_of(rows, 7).weighted(TermWeights(WEIGHTS)))
    assert dense.tolist() == [[float(WEIGHTS[column]) * (column in row) for column in range(7)] for row in rows]


@settings(max_examples=50, deadline=None)
@given(ROWS, st.builds(TermWeights, st.sampled_from([None, WEIGHTS]), st.booleans()))
def test_sparse_dense_and_transposed_tensors_are_the_same_matrix(rows: list[list[int]], weighting: TermWeights) -> None:
    matrix = matrix_of(rows, 7).weighted(weighting)
    sparse, dense, transpose = csr_tensor(matrix), dense_tensor(matrix), transposed_csr_tensor(matrix)
    assert sparse.layout == transpose.layout == torch.sparse_csr
    assert (sparse.shape, transpose.shape) == ((len(rows), 7), (7, len(rows)))
    assert torch.equal(sparse.to_dense(), dense)
    assert torch.equal(transpose.to_dense(), dense.T)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_the_sparse_tensors_hold_their_invariants_with_short_indices(rows: list[list[int]]) -> None:
    ones = matrix_of(rows, 7)
    weighted = ones.weighted(TermWeights(WEIGHTS))
    for tensor in [make(matrix) for make in (csr_tensor, transposed_csr_tensor) for matrix in (ones, weighted)]:
        crow, col, values = tensor.crow_indices(), tensor.col_indices(), tensor.values()
        assert crow.dtype == col.dtype == torch.int32
        assert values.dtype == torch.float32
        # torch 2.8 does not take the columns of an empty matrix for contiguous.
        torch.sparse_csr_tensor(crow, col, values, size=tensor.shape, check_invariants=any(rows))


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


@pytest.mark.parametrize("weighting", [TermWeights(), TermWeights(WEIGHTS)])
def test_batches_are_of_single_precision_whatever_a_trainer_makes_the_default(weighting: TermWeights) -> None:
    matrix = matrix_of([[0, 3], [], [5]], 7).weighted(weighting)
    torch.set_default_dtype(torch.float64)
    try:
        made = [make(matrix) for make in (csr_tensor, dense_tensor, transposed_csr_tensor)]
    finally:
        torch.set_default_dtype(torch.float32)
    assert {tensor.dtype for tensor in made} == {torch.float32}


def test_making_batches_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(cut(20, list(range(20)), 8, training=True)) == 3


def dropped(rows: list[list[int]], share: float, seed: int = 0, layout: Layout = "csr") -> ReviewBatch:
    """All rows, weighted, as a training batch from which terms are left out."""
    matrix = matrix_of(rows, 7).weighted(TermWeights(WEIGHTS))
    labels = np.zeros(len(rows), dtype=np.int8)
    dropout = FeatureDropout(share, [seed])
    (batch,) = cut_batches(matrix, labels, None, max(len(rows), 1), layout, training=True, dropout=dropout)
    return batch


@settings(max_examples=50, deadline=None)
@given(ROWS.filter(bool), st.sampled_from([0.1, 0.5, 0.9]), st.integers(0, 9))
def test_a_term_is_left_out_or_makes_up_for_those_that_are(rows: list[list[int]], share: float, seed: int) -> None:
    batch = dropped(rows, share, seed)
    whole = dense_tensor(matrix_of(rows, 7).weighted(TermWeights(WEIGHTS)))
    dense = batch.features.to_dense()
    torch.testing.assert_close(dense, torch.where(dense == 0, 0, whole / (1 - share)))
    assert batch.transpose is not None
    assert torch.equal(batch.transpose.to_dense(), dense.T)
    assert torch.equal(dropped(rows, share, seed, "dense").features, dense)


def test_on_the_cpu_what_is_left_out_is_not_there_at_all() -> None:
    batch = dropped([[0, 1, 3, 4, 5, 6]] * 100, 0.5)
    assert batch.features.values().count_nonzero() == len(batch.features.values())
    assert batch.transpose is not None
    assert len(batch.transpose.values()) == len(batch.features.values()) < 400


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_the_share_of_terms_that_was_asked_for_is_left_out_and_sums_stay_what_they_were_on_average(
    share: float,
) -> None:
    matrix = matrix_of([list(range(10))] * 5_000, 10)
    (batch,) = cut_batches(matrix, np.zeros(5_000, np.int8), None, 5_000, dropout=FeatureDropout(share, [1]))
    values = batch.features.values()
    # Of 50,000 terms; five standard deviations.
    assert abs(len(values) / 50_000 - (1 - share)) < 5 * (share * (1 - share) / 50_000) ** 0.5
    assert np.unique(values).tolist() == [pytest.approx(1 / (1 - share))]
    assert float(values.sum()) / 50_000 == pytest.approx(1, rel=0.05)
    missing = 1 - (batch.features.to_dense() > 0).float().mean(dim=0)
    assert float((missing - share).abs().max()) < 5 * (share * (1 - share) / 5_000) ** 0.5


# Batches that are kept are the same as those that are cut, within a limit.


def batch(value: float) -> ReviewBatch:
    """12 bytes: two features, one label."""
    return ReviewBatch(torch.full((1, 2), value), torch.zeros(1), None)


class Cutter:
    """Cuts batches of an epoch and counts how often it was asked."""

    def __init__(self, n: int) -> None:
        self.n, self.calls = n, 0

    def __call__(self) -> Iterator[ReviewBatch]:
        self.calls += 1
        return (batch(float(number)) for number in range(self.n))


@given(st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=6), st.integers(0, 200))
def test_batches_are_the_same_whether_kept_or_cut_and_never_take_more_than_the_limit(
    epochs: list[int], limit: int
) -> None:
    kept = KeptBatches(limit)
    for _ in range(2):
        for epoch, n in enumerate(epochs):
            values = [one.features[0, 0].item() for one in kept.epoch("train", epoch, n, Cutter(n))]
            assert values == list(range(n))
            assert kept.size <= limit


def test_an_epoch_is_cut_once_although_nobody_asks_past_its_last_batch() -> None:
    kept, cutter = KeptBatches(1000), Cutter(3)
    for _ in range(2):
        batches = kept.epoch("train", 0, 3, cutter)
        for _ in range(3):
            next(batches)
    assert cutter.calls == 1
    assert kept.size == 3 * batch(0.0).memory == 36


def test_an_epoch_that_is_left_early_is_cut_again() -> None:
    kept, cutter = KeptBatches(1000), Cutter(3)
    for _ in range(2):
        next(kept.epoch("train", 0, 3, cutter))
    assert (cutter.calls, kept.size) == (2, 0)


def test_epochs_beyond_the_limit_are_cut_each_time() -> None:
    kept, cutter = KeptBatches(40), Cutter(3)
    for _ in range(2):
        for epoch in (0, 1):
            list(kept.epoch("train", epoch, 3, cutter))
    assert cutter.calls == 3


def test_parts_are_kept_apart() -> None:
    kept = KeptBatches(1000)
    list(kept.epoch("train", 0, 1, Cutter(1)))
    assert len(list(kept.epoch("val", 0, 2, Cutter(2)))) == 2


def test_a_sparse_batch_counts_all_its_tensors() -> None:
    dense = torch.eye(3)
    sparse = dense.to_sparse_csr()
    each = 4 * 8 + 3 * 8 + 3 * 4
    assert ReviewBatch(sparse, torch.zeros(3), sparse).memory == 2 * each + 3 * 4
