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
from imdbclf.data.batches import ReviewBatch
from imdbclf.data.loader import EpochOrder, ReviewLoader, cut_ahead
from imdbclf.settings import Layout


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
