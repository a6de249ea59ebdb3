"""The loader for Lightning: a part of the reviews as ready batches, in an order given by (seed, epoch)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from math import ceil

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import SequentialSampler

from imdbclf.data.batches import WINDOW, FeatureDropout, ReviewBatch, cut_batches, sparse_csr
from imdbclf.data.multihot import MultiHotMatrix, offsets_of
from imdbclf.data.term_weights import Labels
from imdbclf.setting_values import Layout

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
        matrix, labels, batch_size, layout, training: see `cut_batches`.
        seed: decides the order, together with the epoch; None keeps the order of the matrix. (The data module uses None
            with the Trainer's `overfit_batches`; loaders passed to `fit()` are used unchanged.)
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
        yield from self._keep(self._epoch, len(self), self._cut) if self._keep else self._cut()

    @property
    def _epoch(self) -> int:
        return self.sampler.epoch if isinstance(self.sampler, EpochOrder) else 0

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
        # The 1 makes this seed different from that of the order.
        return FeatureDropout(self.feature_dropout, [self._seed, self._epoch, 1]) if self.feature_dropout else None


class DeviceReviews:
    """n reviews on an accelerator, where batches are made: an epoch uploads its row numbers only.

    They take 4 bytes per set column (13 MB for the lecture's corpus), 4 more with term weights, and 12 per review. All
    sizes are known on the host, so that nothing waits for the device within an epoch. The batches are equal to those of
    `cut_batches`.
    """

    def __init__(self, matrix: MultiHotMatrix, labels: Labels, device: torch.device) -> None:
        self.width, self.device = matrix.width, device
        self.lengths = np.diff(matrix.offsets)
        self.starts = torch.from_numpy(matrix.offsets[:-1]).to(device)
        self.columns = torch.from_numpy(np.ascontiguousarray(matrix.columns)).to(device)
        self.values = None if matrix.values is None else torch.from_numpy(matrix.values).to(device)
        self.labels = torch.from_numpy(labels.astype(np.float32)).to(device)

    def cut_batches(
        self,
        rows: npt.NDArray[np.int64] | None,
        batch_size: int,
        *,
        training: bool = False,
        dropout: FeatureDropout | None = None,
    ) -> Iterator[ReviewBatch]:
        """The given rows (None: all) as CSR batches, in the given order; see `cut_batches`."""
        window = max(WINDOW // batch_size, 1) * batch_size
        rows = np.arange(len(self.lengths), dtype=np.int64) if rows is None else rows
        for start in range(0, len(rows), window):
            yield from self._cut_window(rows[start : start + window], batch_size, dropout, training=training)

    def _cut_window(
        self, rows: npt.NDArray[np.int64], batch_size: int, dropout: FeatureDropout | None, *, training: bool
    ) -> Iterator[ReviewBatch]:
        lengths = self.lengths[rows]
        offsets = offsets_of(lengths)
        total = int(offsets[-1])
        chosen, device_offsets, device_lengths = (
            torch.from_numpy(numbers).to(self.device, non_blocking=True) for numbers in (rows, offsets, lengths)
        )
        shift = torch.repeat_interleave(self.starts[chosen] - device_offsets[:-1], device_lengths, output_size=total)
        places = torch.arange(total, device=self.device) + shift
        columns = self.columns[places]
        values = self._values(places, dropout)
        # The row of each one within its batch.
        within = torch.arange(len(rows), dtype=torch.int32, device=self.device) % batch_size
        row = torch.repeat_interleave(within, device_lengths, output_size=total)
        labels = self.labels[chosen]
        for first, end in pairwise([*range(0, len(rows), batch_size), len(rows)]):
            ones = slice(int(offsets[first]), int(offsets[end]))
            begins = (device_offsets[first : end + 1] - int(offsets[first])).to(torch.int32)
            within_batch = None if values is None else values[ones]
            features = sparse_csr(begins, columns[ones], within_batch, end - first, self.width)
            transpose = self._transposed(columns[ones], row[ones], within_batch, end - first) if training else None
            yield ReviewBatch(features, labels[first:end], transpose)

    def _values(self, places: Tensor, dropout: FeatureDropout | None) -> Tensor | None:
        """The values at the given places; 0 for a left-out term, so that the length of a row stays known."""
        values = None if self.values is None else self.values[places]
        if dropout is None:
            return values
        kept = torch.from_numpy(dropout.kept(len(places))).to(self.device, non_blocking=True) * dropout.scale
        return kept if values is None else values * kept

    def _transposed(self, columns: Tensor, row: Tensor, values: Tensor | None, n: int) -> Tensor:
        ascending, places = torch.sort(columns, stable=True)
        edges = torch.arange(self.width + 1, dtype=torch.int32, device=self.device)
        offsets = torch.searchsorted(ascending, edges, out_int32=True)
        return sparse_csr(offsets, row[places], None if values is None else values[places], self.width, n)


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
