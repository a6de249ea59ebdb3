"""The loader for Lightning: a part of the reviews as ready batches, in an order given by (seed, epoch)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import ceil

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import SequentialSampler

from imdbclf.data.batches import FeatureDropout, ReviewBatch, cut_batches
from imdbclf.data.gpu_batches import DeviceReviews
from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.data.term_weights import Labels
from imdbclf.settings import Layout

AHEAD = 2
"""Batches that are made in advance."""

Keep = Callable[[int, int, Callable[[], Iterator[ReviewBatch]]], Iterator[ReviewBatch]]
"""Returns the batches of an epoch, given its number, their count and what makes them: `KeptBatches.epoch`."""


class EpochOrder:
    """The order of n rows in an epoch, a function of (seed, epoch) only.

    Lightning calls `set_epoch` before every epoch, so a continued run has the same order as an uninterrupted one.
    """

    def __init__(self, n: int, seed: int) -> None:
        self.n, self.seed, self.epoch = n, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch that decides the order."""
        self.epoch = epoch

    def rows(self) -> npt.NDArray[np.int64]:
        """The row numbers, each once, (n,)."""
        return np.random.default_rng([self.seed, self.epoch]).permutation(self.n)


class ReviewLoader:
    """An iterable of ready batches with a length; Lightning needs nothing else from a loader.

    A `torch.utils.data.DataLoader` would read row by row; even with whole batches it costs a tenth of a training step
    per batch.

    Args:
        matrix: n reviews.
        labels: (n,) of 0 and 1.
        batch_size: reviews per batch; the last one of an epoch may be smaller.
        layout: see `ReviewBatch`.
        seed: decides the order, together with the epoch; None keeps the order of the matrix. (The data module uses None
            with the Trainer's `overfit_batches`; loaders passed to `fit()` are used unchanged.)
        training: whether CSR batches carry their transpose.
        device: device of the batches. The matrix is copied to an accelerator once, and batches are made there.
        keep: returns kept batches.
        feature_dropout: fraction of a review's terms that are left out, different ones in each epoch.
    """

    def __init__(
        self,
        matrix: MultiHotMatrix,
        labels: Labels,
        batch_size: int,
        layout: Layout = "csr",
        *,
        seed: int | None = None,
        training: bool = False,
        device: torch.device | None = None,
        keep: Keep | None = None,
        feature_dropout: float = 0.0,
    ) -> None:
        self.feature_dropout, self._seed = feature_dropout, seed or 0
        self.matrix, self.labels = matrix, labels
        self.batch_size, self.layout, self.training = batch_size, layout, training
        self.sampler = SequentialSampler(range(len(matrix))) if seed is None else EpochOrder(len(matrix), seed)
        """As in a `DataLoader`; Lightning calls its `set_epoch` and checks whether rows are shuffled."""
        self.batch_sampler = None
        """None; Lightning reads it."""
        on_host = device is None or device.type == "cpu" or layout == "dense" or matrix.on_disk
        self._on_device = None if on_host or device is None else DeviceReviews(matrix, labels, device)
        self._keep = keep

    def __len__(self) -> int:
        """Number of batches."""
        return ceil(len(self.matrix) / self.batch_size)

    def __iter__(self) -> Iterator[ReviewBatch]:
        """The batches of the epoch that is set when the first batch is read.

        Lightning makes the iterator of a continued run's first epoch before it sets the epoch.
        """
        epoch = self.sampler.epoch if isinstance(self.sampler, EpochOrder) else 0
        yield from self._keep(epoch, len(self), self._cut) if self._keep else self._cut()

    def _cut(self) -> Iterator[ReviewBatch]:
        rows = self.sampler.rows() if isinstance(self.sampler, EpochOrder) else None
        dropout = self._dropout()
        if self._on_device is not None:
            return self._on_device.cut_batches(rows, self.batch_size, training=self.training, dropout=dropout)
        batches = cut_batches(
            self.matrix, self.labels, rows, self.batch_size, self.layout, training=self.training, dropout=dropout
        )
        return cut_ahead(batches) if self.training else batches

    def _dropout(self) -> FeatureDropout | None:
        """The dropout of terms in this epoch; like the order, a function of (seed, epoch)."""
        if self.feature_dropout == 0:
            return None
        epoch = self.sampler.epoch if isinstance(self.sampler, EpochOrder) else 0
        # The 1 makes this seed different from that of the order.
        return FeatureDropout(self.feature_dropout, [self._seed, epoch, 1])


def cut_ahead(batches: Iterator[ReviewBatch]) -> Iterator[ReviewBatch]:
    """The same batches in the same order, made in advance by another thread.

    Making a batch takes a third of a training step or more, almost all of it outside Python, so a second core can do
    it. The network is too small to use that core better (see `threads` in configs/train.yaml).
    """
    with ThreadPoolExecutor(1) as cutter:
        waiting = deque(cutter.submit(next, batches, None) for _ in range(AHEAD))
        while (batch := waiting.popleft().result()) is not None:
            waiting.append(cutter.submit(next, batches, None))
            yield batch
