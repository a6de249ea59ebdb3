"""Which reviews each of several processes has in an epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Shard:
    """The part of process `rank` among `world`.

    The k-th batches of all processes together hold the reviews that the k-th batch of one process would hold whose
    batches are `world` times as large. The last ones divide what is left as evenly as it goes, so they may differ by a
    review. If fewer reviews than processes are left, a process without one borrows the first of them: every process
    has the same number of batches and none is empty, and the borrowed one counts nothing.
    """

    rank: int = 0
    world: int = 1

    def batches(self, n: int, batch_size: int) -> int:
        """Number of batches that each process cuts from n reviews."""
        return len(range(0, n, batch_size * self.world))

    def rows(self, rows: npt.NDArray[np.int64], batch_size: int) -> npt.NDArray[np.int64]:
        """Those of an epoch's rows, (n,), from which this process cuts its batches, one after the other."""
        rest = self._rest(len(rows), batch_size)
        whole = rows[: len(rows) - rest].reshape(-1, self.world, batch_size)[:, self.rank].reshape(-1)
        start, stop = self._part(rest)
        last = rows[len(rows) - rest :]
        return np.concatenate([whole, last[start:stop] if stop > start else last[:1]])

    def last_share(self, n: int, batch_size: int) -> float | None:
        """What the last batch counts, if not as much as that of every other process.

        It is the number of its reviews by the mean number that a process has; 0 if its review is borrowed. A loss that
        is multiplied with it has, averaged over the processes, the gradient of the mean over all reviews.
        """
        rest = self._rest(n, batch_size)
        if rest % self.world == 0:
            return None
        start, stop = self._part(rest)
        return (stop - start) * self.world / rest

    def _rest(self, n: int, batch_size: int) -> int:
        """How many reviews are left after the last whole batches."""
        return n % (batch_size * self.world)

    def _part(self, rest: int) -> tuple[int, int]:
        return rest * self.rank // self.world, rest * (self.rank + 1) // self.world
