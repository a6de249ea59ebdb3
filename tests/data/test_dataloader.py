from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import SequentialSampler

from data.helpers import matrix_of
from imdbclf.data import dataloader
from imdbclf.data.batches import FeatureDropout, ReviewBatch, cut_batches
from imdbclf.data.dataloader import DeviceReviews, EpochOrder, ReviewLoader, cut_ahead
from imdbclf.data.term_weights import TermWeights
from imdbclf.model.network import MLP
from imdbclf.setting_values import Layout


def loader_of(n: int, batch_size: int, layout: Layout = "csr", **more: bool | float) -> ReviewLoader:
    """n reviews, of which the k-th holds the words 0 … k modulo 7 and is positive if k is odd."""
    matrix = matrix_of([list(range(number % 7 + 1)) for number in range(n)], 7)
    return ReviewLoader(matrix, (np.arange(n) % 2).astype(np.int8), batch_size, layout, **more)  # type: ignore[arg-type]


def labels_in(loader: ReviewLoader) -> list[list[float]]:
    return [batch.labels.tolist() for batch in loader]


def rows_of(order: EpochOrder, epoch: int) -> list[int]:
    order.set_epoch(epoch)
    return [int(row) for row in order.rows()]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 40), st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_an_epoch_visits_every_row_once(n: int, seed: int, epoch: int) -> None:
    assert sorted(rows_of(EpochOrder(n, seed), epoch)) == list(range(n))


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    order = EpochOrder(100, 5)
    straight = [rows_of(order, epoch) for epoch in range(4)]
    assert rows_of(EpochOrder(100, 5), 2) == straight[2]
    assert rows_of(order, 1) == straight[1]
    assert len({tuple(rows) for rows in straight}) == 4
    assert rows_of(EpochOrder(100, 6), 0) not in straight


def test_the_order_does_not_touch_or_use_the_common_generators() -> None:
    torch.manual_seed(1)
    first = rows_of(EpochOrder(100, 5), 0)
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert rows_of(EpochOrder(100, 5), 0) == first
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)


def test_without_a_seed_the_rows_come_in_their_own_order() -> None:
    loader = loader_of(10, 4)
    assert isinstance(loader.sampler, SequentialSampler)
    assert labels_in(loader) == labels_in(loader) == [[0, 1, 0, 1], [0, 1, 0, 1], [0, 1]]


@pytest.mark.parametrize("training", [True, False])
def test_a_loader_hands_out_the_batches_of_the_epochs_order(training: bool) -> None:
    loader = loader_of(20, 8, seed=1, training=training)
    assert isinstance(loader.sampler, EpochOrder)
    loader.sampler.set_epoch(4)
    expected = [float(row % 2) for row in rows_of(EpochOrder(20, 1), 4)]
    assert labels_in(loader) == [expected[:8], expected[8:16], expected[16:]]
    assert len(loader) == 3


def test_what_is_written_into_a_batch_is_not_in_the_next_pass() -> None:
    loader = loader_of(10, 4)
    for batch in loader:
        batch.features.values().zero_()
        batch.labels.zero_()
    assert all(batch.features.to_dense().sum() > 0 for batch in loader)
    assert labels_in(loader)[0] == [0, 1, 0, 1]


def epoch_of(loader: ReviewLoader, epoch: int) -> torch.Tensor:
    """All rows of an epoch, dense, in the order in which they come."""
    if isinstance(loader.sampler, EpochOrder):
        loader.sampler.set_epoch(epoch)
    return torch.cat([batch.features.to_dense() for batch in loader])


@pytest.mark.parametrize("layout", ["csr", "dense"])
def test_what_is_left_out_is_a_function_of_seed_and_epoch(layout: Layout) -> None:
    loader = dropping(layout)
    straight = [epoch_of(loader, epoch) for epoch in range(3)]
    assert torch.equal(epoch_of(dropping(layout), 2), straight[2])
    assert torch.equal(epoch_of(loader, 1), straight[1])
    assert not torch.equal(epoch_of(dropping(layout, seed=6), 1), straight[1])
    kept = [row.sum() for row in straight]
    assert len(set(map(float, kept))) == 3


def test_what_is_left_out_is_not_drawn_with_the_numbers_that_decide_the_order() -> None:
    loader = dropping()
    dropout = loader._dropout()
    assert dropout is not None
    with_the_order = np.random.default_rng([loader.sampler.seed, 0]).random(100, dtype=np.float32)  # type: ignore[union-attr]
    assert dropout.kept(100).tolist() != (with_the_order >= dropout.fraction).tolist()


def test_nothing_is_left_out_where_nobody_asked_for_it() -> None:
    whole, loader = epoch_of(loader_of(20, 8, seed=1), 3), loader_of(20, 8, seed=1, feature_dropout=0.0)
    assert torch.equal(epoch_of(loader, 3), whole)


def dropping(layout: Layout = "csr", seed: int | None = 5) -> ReviewLoader:
    """A loader of 40 equal reviews, of whose terms half are left out."""
    labels = np.zeros(40, dtype=np.int8)
    matrix = matrix_of([list(range(30))] * 40, 30)
    return ReviewLoader(matrix, labels, 16, layout, seed=seed, training=True, feature_dropout=0.5)


def numbered(count: int, fail_at: int | None = None) -> Iterator[ReviewBatch]:
    for number in range(count):
        if number == fail_at:
            msg = "cannot be cut"
            raise ValueError(msg)
        yield ReviewBatch(torch.full((1,), float(number)), torch.zeros(1), None)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10])
def test_batches_cut_ahead_are_the_same_in_the_same_order(count: int) -> None:
    assert [batch.features.item() for batch in cut_ahead(numbered(count))] == list(range(count))


def test_an_error_of_the_cutting_thread_reaches_who_asks() -> None:
    ahead = cut_ahead(numbered(5, fail_at=3))
    assert [next(ahead).features.item() for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="cannot be cut"):
        next(ahead)


def test_no_thread_stays_behind_when_an_epoch_is_broken_off() -> None:
    before = threading.active_count()
    ahead = cut_ahead(numbered(10))
    next(ahead)
    assert threading.active_count() == before + 1
    ahead.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


# Batches on an accelerator, checked on the devices that every machine has: the CPU and torch's `meta`.

CPU, META = torch.device("cpu"), torch.device("meta")
DEVICE_ROWS = st.lists(st.lists(st.integers(0, 6), max_size=8), min_size=1, max_size=12)
WEIGHTS = np.array([0.5, -1.25, 0, 3, -0.1, 2e-3, 7], dtype=np.float32)
WEIGHTINGS = st.builds(TermWeights, st.sampled_from([None, WEIGHTS]), st.booleans())


@settings(max_examples=100, deadline=None)
@given(DEVICE_ROWS, WEIGHTINGS, st.randoms(use_true_random=False), st.integers(1, 13), st.integers(1, 13))
def test_batches_cut_on_a_device_equal_those_cut_on_the_host(
    rows: list[list[int]], weighting: TermWeights, chance: st.DataObject, batch_size: int, window: int
) -> None:
    matrix, labels = matrix_of(rows, 7).weighted(weighting), (np.arange(len(rows)) % 2).astype(np.int8)
    order = np.array(chance.sample(range(len(rows)), len(rows)))  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataloader, "WINDOW", window)
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
@given(DEVICE_ROWS, WEIGHTINGS, st.integers(1, 13), st.integers(1, 13))
def test_the_same_terms_are_left_out_on_a_device_where_zeros_stand_for_them(
    rows: list[list[int]], weighting: TermWeights, batch_size: int, window: int
) -> None:
    matrix, labels = matrix_of(rows, 7).weighted(weighting), np.zeros(len(rows), dtype=np.int8)
    ours, theirs = (FeatureDropout(0.4, [1, 2]) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataloader, "WINDOW", window)
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


def test_on_an_accelerator_batches_and_steps_need_no_value_on_the_host() -> None:
    # A meta tensor has no values, so a step that needs one on the host (a synchronisation on CUDA) fails here.
    matrix, labels = matrix_of([[0, 3], [1], [], [2, 5, 6]] * 4, 7), (np.arange(16) % 2).astype(np.int8)
    matrix = matrix.weighted(TermWeights(unit_length=True))
    batches = ReviewLoader(matrix, labels, 5, seed=0, training=True, device=META, feature_dropout=0.5)
    network = MLP(7, [4, 4]).to(META)
    sizes = []
    for features, targets, transpose in batches:
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(features, transpose), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        sizes.append(len(targets))
    assert sizes == [5, 5, 5, 1]
    assert all(parameter.grad is not None and parameter.grad.device == META for parameter in network.parameters())
