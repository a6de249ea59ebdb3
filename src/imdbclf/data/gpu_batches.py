"""Batches made on an accelerator, where the whole matrix is kept: an epoch uploads its row numbers only.

All sizes are known on the host, so that nothing waits for the device within an epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from imdbclf.data.batches import WINDOW, FeatureDropout, ReviewBatch, sparse_csr
from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.data.term_weights import Labels


class DeviceReviews:
    """n reviews and their labels on a device: 4 bytes per set column (13 MB for the lecture's corpus), 12 per review.

    Term weights take 4 more bytes each.

    Args:
        matrix: the reviews.
        labels: (n,) of 0 and 1.
        device: any device of torch; the batches are equal to those of `imdbclf.data.batches.cut_batches`.
    """

    def __init__(self, matrix: MultiHotMatrix, labels: Labels, device: torch.device) -> None:
        self.width, self.device = matrix.width, device
        self.lengths = np.diff(matrix.offsets)
        self.starts = torch.from_numpy(matrix.offsets[:-1]).to(device)
        self.columns = torch.from_numpy(np.ascontiguousarray(matrix.columns)).to(device)
        values = matrix.values
        self.values = None if values is None else torch.from_numpy(values).to(device)
        self.labels = torch.from_numpy(labels.astype(np.float32)).to(device)

    def cut_batches(
        self,
        rows: npt.NDArray[np.int64] | None,
        batch_size: int,
        *,
        training: bool = False,
        dropout: FeatureDropout | None = None,
    ) -> Iterator[ReviewBatch]:
        """The given rows (None: all) as CSR batches, in the given order; see `imdbclf.data.batches.cut_batches`."""
        window = max(WINDOW // batch_size, 1) * batch_size
        rows = np.arange(len(self.lengths)) if rows is None else rows
        for start in range(0, len(rows), window):
            yield from self._cut_window(rows[start : start + window], batch_size, dropout, training=training)

    def _cut_window(
        self, rows: npt.NDArray[np.int64], batch_size: int, dropout: FeatureDropout | None, *, training: bool
    ) -> Iterator[ReviewBatch]:
        lengths = self.lengths[rows]
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
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
