"""What an accelerator would be given, checked on the devices that every machine has: the CPU and torch's `meta`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import matrix_of
from imdbclf.data import gpu_batches
from imdbclf.data.batches import FeatureDropout, cut_batches
from imdbclf.data.gpu_batches import DeviceReviews
from imdbclf.data.loader import ReviewLoader
from imdbclf.data.term_weights import TermWeights
from imdbclf.model.network import MLP

CPU, META = torch.device("cpu"), torch.device("meta")
ROWS = st.lists(st.lists(st.integers(0, 6), max_size=8), min_size=1, max_size=12)
WEIGHTS = np.array([0.5, -1.25, 0, 3, -0.1, 2e-3, 7], dtype=np.float32)
WEIGHTINGS = st.none() | st.builds(TermWeights, st.sampled_from([None, WEIGHTS]), st.booleans())


@settings(max_examples=100, deadline=None)
@given(ROWS, WEIGHTINGS, st.randoms(use_true_random=False), st.integers(1, 13), st.integers(1, 13))
def test_batches_cut_on_a_device_equal_those_cut_on_the_host(
    rows: list[list[int]], weighting: TermWeights | None, chance: st.DataObject, batch_size: int, window: int
) -> None:
    matrix, labels = matrix_of(rows, 7).weighted(weighting), (np.arange(len(rows)) % 2).astype(np.int8)
    order = np.array(chance.sample(range(len(rows)), len(rows)))  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gpu_batches, "WINDOW", window)
        found = list(DeviceReviews(matrix, labels, CPU).cut_batches(order, batch_size, training=True))
    for one, other in zip(found, cut_batches(matrix, labels, order, batch_size, training=True), strict=True):
        assert torch.equal(one.labels, other.labels)
        for sparse, expected in ((one.features, other.features), (one.transpose, other.transpose)):
            assert sparse is not None
            assert expected is not None
            assert sparse.shape == expected.shape
            assert torch.equal(sparse.crow_indices(), expected.crow_indices())
            assert torch.equal(sparse.col_indices(), expected.col_indices())
            assert torch.equal(sparse.values(), expected.values())


@settings(max_examples=50, deadline=None)
@given(ROWS, WEIGHTINGS, st.integers(1, 13), st.integers(1, 13))
def test_the_same_terms_are_left_out_on_a_device_where_zeros_stand_for_them(
    rows: list[list[int]], weighting: TermWeights | None, batch_size: int, window: int
) -> None:
    matrix, labels = matrix_of(rows, 7).weighted(weighting), np.zeros(len(rows), dtype=np.int8)
    ours, theirs = (FeatureDropout(0.4, [1, 2]) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gpu_batches, "WINDOW", window)
        found = list(DeviceReviews(matrix, labels, CPU).cut_batches(None, batch_size, training=True, dropout=ours))
    plain = cut_batches(matrix, labels, None, batch_size, training=True)
    dropped = cut_batches(matrix, labels, None, batch_size, training=True, dropout=theirs)
    for one, whole, other in zip(found, plain, dropped, strict=True):
        assert torch.equal(one.features.col_indices(), whole.features.col_indices())
        assert torch.equal(one.features.to_dense(), other.features.to_dense())
        assert one.transpose is not None
        assert torch.equal(one.transpose.to_dense(), other.features.to_dense().T)


def test_no_transpose_is_made_where_none_is_used() -> None:
    reviews = DeviceReviews(matrix_of([[0], [1]], 7), np.zeros(2, dtype=np.int8), CPU)
    assert [batch.transpose for batch in reviews.cut_batches(np.arange(2), 1)] == [None, None]


def test_a_loader_for_an_accelerator_cuts_batches_there_and_the_network_steps_there_without_asking_for_a_value() -> (
    None
):
    # A meta tensor has no values, so whatever needed one on the host (a synchronisation on CUDA) would fail here.
    matrix, labels = matrix_of([[0, 3], [1], [], [2, 5, 6]] * 4, 7), (np.arange(16) % 2).astype(np.int8)
    matrix = matrix.weighted(TermWeights(unit_length=True))
    loader = ReviewLoader(matrix, labels, 5, seed=0, training=True, device=META, feature_dropout=0.5)
    network = MLP(7, [4, 4]).to(META)
    sizes = []
    for features, targets, transpose in loader:
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(features, transpose), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        sizes.append(len(targets))
    assert sizes == [5, 5, 5, 1]
    assert all(parameter.grad is not None and parameter.grad.device == META for parameter in network.parameters())
