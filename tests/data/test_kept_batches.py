"""Batches that are kept are the same as those that are cut, within a limit."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from hypothesis import given
from hypothesis import strategies as st

from imdbclf.data.batches import ReviewBatch
from imdbclf.data.kept_batches import KeptBatches


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
