"""Batches of multi-hot rows, cut from the matrix as a whole: no dataset of single rows, no collating."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from imdbclf.data.multihot import MultiHotMatrix, offsets_of
from imdbclf.data.term_weights import Labels

if TYPE_CHECKING:
    from imdbclf.setting_values import Layout

EVALUATION_BATCH = 4096
"""Batch size for validation and test: fewer steps, and the same metrics up to rounding."""

WINDOW = 16_384
"""Number of rows that are reordered at once; a limit for the memory. The lecture's epoch is one such block."""


class ReviewBatch(NamedTuple):
    """n reviews as input of the network.

    `features` is (n, vocabulary) float32, sparse CSR or dense by `data.layout`; `labels` is (n,) float32 of zeros and
    ones; `transpose` is `features` transposed, (vocabulary, n) CSR, or None if the backward pass does not need it.
    """

    features: Tensor
    labels: Tensor
    transpose: Tensor | None

    @property
    def memory(self) -> int:
        """Size of its tensors in bytes."""
        return sum(_memory(tensor) for tensor in self if tensor is not None)


def _memory(tensor: Tensor) -> int:
    if tensor.layout == torch.sparse_csr:
        return sum(piece.nbytes for piece in (tensor.crow_indices(), tensor.col_indices(), tensor.values()))
    return tensor.nbytes


def cut_batches(
    matrix: MultiHotMatrix,
    labels: Labels,
    rows: npt.NDArray[np.int64] | None,
    batch_size: int,
    layout: Layout = "csr",
    *,
    training: bool = False,
    dropout: FeatureDropout | None = None,
) -> Iterator[ReviewBatch]:
    """The given rows (None: all) as batches, in the given order, the last one possibly smaller.

    In training, CSR batches carry their transpose, for the backward pass.
    """
    window = max(WINDOW // batch_size, 1) * batch_size
    for start in range(0, len(matrix) if rows is None else len(rows), window):
        if rows is None:
            ordered, chosen_labels = matrix.between(start, start + window), labels[start : start + window]
        else:
            # One copy of many rows costs a fraction of many copies of few.
            chosen = rows[start : start + window]
            ordered, chosen_labels = matrix.take(chosen), labels[chosen]
        targets = torch.from_numpy(chosen_labels.astype(np.float32))
        for first in range(0, len(targets), batch_size):
            end = first + batch_size
            batch = ordered.between(first, end)
            batch = batch if dropout is None else dropout(batch)
            yield batch_of_rows(batch, targets[first:end], layout, training=training)


class KeptBatches:
    """The batches of earlier epochs, up to a limit; further ones are made again for each job.

    Jobs of one seed have the same batches in the same order, for any network and loss. Complete epochs are kept, the
    first ones first, up to `limit` bytes. The next job gets the same tensors, so no job may write into them.
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


class FeatureDropout:
    """Dropout of terms: leaves out each term of a review with the probability `fraction` and scales the others up.

    It is the dropout of Srivastava et al. 2014 on the input: it leaves out terms of a review, not units of the network.
    """

    def __init__(self, fraction: float, seed: Sequence[int]) -> None:
        self.fraction, self._random = fraction, np.random.default_rng(seed)
        self.scale = 1 / (1 - fraction)
        """The factor for the remaining values."""

    def __call__(self, matrix: MultiHotMatrix) -> MultiHotMatrix:
        """The batch without the terms that are left out."""
        kept, scale = self.kept(len(matrix.columns)), np.float32(self.scale)
        columns = matrix.columns[kept]
        values = np.full(len(columns), scale) if matrix.values is None else matrix.values[kept] * scale
        return MultiHotMatrix(offsets_of(kept)[matrix.offsets], columns, matrix.width, lambda *_: values)

    def kept(self, count: int) -> npt.NDArray[np.bool_]:
        """Which of the next `count` terms stay, (count,)."""
        return self._random.random(count, dtype=np.float32) >= self.fraction


def batch_of_rows(matrix: MultiHotMatrix, labels: Tensor, layout: Layout, *, training: bool) -> ReviewBatch:
    """All rows of a matrix as one batch, with their labels, float32 (n,)."""
    features = csr_tensor(matrix) if layout == "csr" else dense_tensor(matrix)
    transpose = transposed_csr_tensor(matrix) if training and layout == "csr" else None
    return ReviewBatch(features, labels, transpose)


def csr_tensor(matrix: MultiHotMatrix) -> Tensor:
    """The rows as a sparse CSR tensor, (n, width) float32; with int32 indices, as the CPU's kernels require."""
    offsets, columns = torch.from_numpy(matrix.offsets.astype(np.int32)), torch.from_numpy(matrix.columns)
    return sparse_csr(offsets, columns, _tensor(matrix.values), len(matrix), matrix.width)


def dense_tensor(matrix: MultiHotMatrix) -> Tensor:
    """The rows as a dense tensor, (n, width) float32."""
    # Not the default dtype: a Trainer with another precision changes it while a thread cuts batches.
    dense = torch.zeros(len(matrix), matrix.width, dtype=torch.float32)
    rows = np.repeat(np.arange(len(matrix), dtype=np.int64), np.diff(matrix.offsets))
    ones = torch.ones((), dtype=torch.float32)
    places = torch.from_numpy(rows), torch.from_numpy(matrix.columns.astype(np.int64))
    dense[places] = ones if matrix.values is None else torch.from_numpy(matrix.values)
    return dense


def transposed_csr_tensor(matrix: MultiHotMatrix) -> Tensor:
    """The rows transposed as a sparse CSR tensor, (width, n) float32, its indices ascending within a row."""
    import scipy.sparse  # noqa: PLC0415 - takes a tenth of a second, and is not needed to classify a text

    shape, values = (len(matrix), matrix.width), matrix.values
    # One byte per value is enough for ones.
    data = np.ones(len(matrix.columns), dtype=np.int8) if values is None else values
    by_column = scipy.sparse.csr_array((data, matrix.columns, matrix.offsets.astype(np.int32)), shape=shape).tocsc()
    moved = None if values is None else torch.from_numpy(by_column.data)
    return sparse_csr(torch.from_numpy(by_column.indptr), torch.from_numpy(by_column.indices), moved, *shape[::-1])


def _tensor(values: npt.NDArray[np.float32] | None) -> Tensor | None:
    return None if values is None else torch.from_numpy(values)


def sparse_csr(offsets: Tensor, columns: Tensor, values: Tensor | None, n: int, width: int) -> Tensor:
    """A sparse CSR tensor, (n, width) float32, on the device of `columns`, from its int32 indices.

    `values` are those of the set columns; None for ones.
    """
    return torch.sparse_csr_tensor(
        offsets,
        columns,
        torch.ones(columns.shape, dtype=torch.float32, device=columns.device) if values is None else values,
        size=(n, width),
        check_invariants=False,  # true by construction; checking a batch would take longer than using it
    )


# Torch warns once per process that sparse CSR tensors are in beta.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
    csr_tensor(MultiHotMatrix(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32), 1))
