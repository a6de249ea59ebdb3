from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imdbclf.data.shards import Shard

SIZES = (st.integers(1, 120), st.integers(1, 12), st.integers(1, 5))


def batches_of(shard: Shard, rows: np.ndarray, size: int) -> list[list[int]]:
    own = shard.rows(rows, size).tolist()
    return [own[start : start + size] for start in range(0, len(own), size)]


def in_epoch(n: int, size: int, world: int) -> tuple[list[list[int]], list[list[list[int]]]]:
    """The batches of one process that takes `world` times as many, and those of each of `world` processes."""
    rows = np.random.default_rng(n).permutation(n)
    return batches_of(Shard(), rows, size * world), [
        batches_of(Shard(rank, world), rows, size) for rank in range(world)
    ]


@settings(max_examples=300, deadline=None)
@given(*SIZES)
def test_the_processes_batches_together_are_those_of_one_process(n: int, size: int, world: int) -> None:
    alone, parts = in_epoch(n, size, world)
    *whole, last = alone
    for number, batch in enumerate(whole):
        assert [row for part in parts for row in part[number]] == batch
    shares = [Shard(rank, world).last_share(n, size) for rank in range(world)]
    counted = [row for part, share in zip(parts, shares, strict=True) for row in part[-1] if share != 0]
    assert counted == last


@settings(max_examples=300, deadline=None)
@given(*SIZES)
def test_every_process_has_as_many_batches_as_it_says_and_none_is_empty_or_too_large(
    n: int, size: int, world: int
) -> None:
    _, parts = in_epoch(n, size, world)
    for rank, part in enumerate(parts):
        assert len(part) == Shard(rank, world).batches(n, size)
        assert all(1 <= len(batch) <= size for batch in part)


@settings(max_examples=300, deadline=None)
@given(*SIZES)
def test_means_times_their_shares_averaged_are_the_mean_over_all(n: int, size: int, world: int) -> None:
    alone, parts = in_epoch(n, size, world)
    means = [
        np.mean(part[-1]) * (1.0 if share is None else share)
        for part, share in ((part, Shard(rank, world).last_share(n, size)) for rank, part in enumerate(parts))
    ]
    assert np.mean(means) == pytest.approx(np.mean(alone[-1]))


def test_nothing_is_weighed_where_all_have_as_many() -> None:
    assert [Shard(rank, 3).last_share(30 + 6, 5) for rank in range(3)] == [None] * 3
    assert Shard().last_share(7, 5) is None


def test_who_gets_no_review_borrows_one_that_does_not_count() -> None:
    borrower, owner = Shard(0, 2), Shard(1, 2)
    assert (batches_of(borrower, np.arange(5), 2)[-1], borrower.last_share(5, 2)) == ([4], 0)
    assert (batches_of(owner, np.arange(5), 2)[-1], owner.last_share(5, 2)) == ([4], 2)
