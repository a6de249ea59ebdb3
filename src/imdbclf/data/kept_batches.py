"""Batches that were cut once and are kept for the next job. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imdbclf.data.batches import ReviewBatch


class KeptBatches:
    """The batches of epochs that were cut before, up to a limit; what is beyond it is cut each time.

    Jobs of one seed have the same batches in the same order, whatever their network and loss. Whole epochs are kept,
    the earliest first; an epoch that is left before its end is not. The next job gets the very tensors that the last
    one had, so no job may write into them.

    Args:
        limit: bytes that the kept batches may take.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.size = limit, 0
        self._epochs: dict[tuple[str, int], list[ReviewBatch]] = {}

    def epoch(self, part: str, epoch: int, n: int, cut: Callable[[], Iterator[ReviewBatch]]) -> Iterator[ReviewBatch]:
        """The n batches of a part in an epoch: those that were kept, else those that `cut` gives."""
        if (part, epoch) in self._epochs:
            yield from self._epochs[part, epoch]
            return
        batches: list[ReviewBatch] = []
        size = 0
        for batch in cut():
            size += batch.memory
            if self.size + size <= self.limit:
                batches.append(batch)
            # Before the last batch is handed out, since a reader that knows the length does not ask for another.
            if len(batches) == n:
                self._epochs[part, epoch] = batches
                self.size += size
            yield batch
