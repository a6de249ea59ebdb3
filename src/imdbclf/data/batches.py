"""Batches of multi-hot rows, cut ready-made from the matrix: no row-wise dataset, no collating."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.settings import Layout

Rows = npt.NDArray[np.int64]

EVALUATION_BATCH = 4096
"""Reviews a batch where nothing is learnt: fewer steps, and the same figures beyond rounding."""


class ReviewBatch(NamedTuple):
    """n reviews as the network takes them.

    `features` is (n, vocabulary) float32, sparse CSR or dense by `data.layout`; `labels` is (n,) float32 of zeros and
    ones; `transpose` is `features` transposed, (vocabulary, n) CSR, or None where the backward pass does not need it.
    """

    features: Tensor
    labels: Tensor
    transpose: Tensor | None


class EpochOrder(Sampler[Rows]):
    """Row numbers batch by batch; each epoch's order is a function of (seed, epoch) alone.

    Lightning calls `set_epoch` before every epoch, so a resumed run goes on with the order that the uninterrupted one
    would have had. Without a seed the rows come in their own order.
    """

    def __init__(self, n: int, batch_size: int, seed: int | None = None) -> None:
        self.n, self.batch_size, self.seed, self.epoch = n, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next pass."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Number of batches, the last one possibly smaller."""
        return len(range(0, self.n, self.batch_size))

    def __iter__(self) -> Iterator[Rows]:
        order = np.arange(self.n)
        if self.seed is not None:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(self.n)
        for start in range(0, self.n, self.batch_size):
            yield order[start : start + self.batch_size]


class MultiHotDataset(Dataset[ReviewBatch]):
    """A matrix and its labels, indexed by arrays of row numbers."""

    def __init__(
        self, matrix: MultiHotMatrix, labels: npt.NDArray[np.int8], layout: Layout = "csr", *, training: bool = False
    ) -> None:
        self.matrix, self.layout = matrix, layout
        self.with_transpose = training and layout == "csr"
        self.labels = torch.from_numpy(labels.astype(np.float32))

    def __len__(self) -> int:
        return len(self.matrix)

    def __getitem__(self, rows: Rows) -> ReviewBatch:
        batch = self.matrix.take(rows)
        features = csr_tensor(batch) if self.layout == "csr" else dense_tensor(batch)
        transpose = transposed_csr_tensor(batch) if self.with_transpose else None
        return ReviewBatch(features, self.labels[torch.from_numpy(rows)], transpose)


def review_loader(dataset: MultiHotDataset, batch_size: int, seed: int | None = None) -> DataLoader[ReviewBatch]:
    """A loader that hands on the dataset's ready batches, shuffled by (seed, epoch) or in order."""
    return DataLoader(
        dataset,
        sampler=EpochOrder(len(dataset), batch_size, seed),
        batch_size=None,
        collate_fn=_unchanged,
        # A loader draws a seed for its workers, even for none; from torch's own generator it would shift dropout.
        generator=torch.Generator(),
    )


def _unchanged(batch: Any) -> Any:
    return batch


def csr_tensor(matrix: MultiHotMatrix) -> Tensor:
    """The rows as a sparse CSR tensor, (n, width) float32; int32 indices, which is what the CPU's kernels take."""
    return _csr(matrix.offsets, matrix.columns, (len(matrix), matrix.width))


def dense_tensor(matrix: MultiHotMatrix) -> Tensor:
    """The rows as a dense tensor, (n, width) float32."""
    dense = torch.zeros(len(matrix), matrix.width)
    rows = np.repeat(np.arange(len(matrix)), np.diff(matrix.offsets))
    dense[torch.from_numpy(rows), torch.from_numpy(matrix.columns.astype(np.int64))] = 1.0
    return dense


def transposed_csr_tensor(matrix: MultiHotMatrix) -> Tensor:
    """The rows transposed as a sparse CSR tensor, (width, n) float32, its indices ascending within a row."""
    shape = (len(matrix), matrix.width)
    ones = np.ones(len(matrix.columns), dtype=np.int8)
    by_column = scipy.sparse.csr_array((ones, matrix.columns, matrix.offsets.astype(np.int32)), shape=shape).tocsc()
    return _csr(by_column.indptr, by_column.indices, (matrix.width, len(matrix)))


def _csr(offsets: npt.NDArray[np.integer], columns: npt.NDArray[np.int32], shape: tuple[int, int]) -> Tensor:
    return torch.sparse_csr_tensor(
        torch.from_numpy(offsets.astype(np.int32)),
        torch.from_numpy(columns),
        torch.ones(len(columns)),
        size=shape,
        check_invariants=False,  # they hold by construction, and checking each batch would cost more than using it
    )


def _hear_the_beta_notice_once() -> None:
    """torch says once a process that CSR tensors are in beta; nobody who reads reviews needs to hear it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        csr_tensor(MultiHotMatrix(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32), 1))


_hear_the_beta_notice_once()
