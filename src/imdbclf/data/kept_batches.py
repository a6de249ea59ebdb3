"""Batches that are kept for the next job. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imdbclf.data.batches import ReviewBatch


class KeptBatches:
    """The batches of earlier epochs, up to a limit; further ones are made again for each job.

    Jobs of one seed have the same batches in the same order, for any network and loss. Complete epochs are kept, the
    first ones first. The next job gets the same tensors, so no job may write into them.

    Args:
        limit: maximum size of the kept batches in bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.size = limit, 0
        self._epochs: dict[tuple[str, int], list[ReviewBatch]] = {}

    def epoch(self, part: str, epoch: int, n: int, cut: Callable[[], Iterator[ReviewBatch]]) -> Iterator[ReviewBatch]:
        """The n batches of a part in an epoch: kept ones, or those of `cut`."""
        if (part, epoch) in self._epochs:
            yield from self._epochs[part, epoch]
            return
        batches: list[ReviewBatch] = []
        size = 0
        for batch in cut():
            size += batch.memory
            if self.size + size <= self.limit:
                batches.append(batch)
            # Before the last batch is yielded: a reader that knows the length does not ask again.
            if len(batches) == n:
                self._epochs[part, epoch] = batches
                self.size += size
            yield batch
