"""The multi-hot encoding as rows of a sparse matrix; values and dense rows are only ever made batch by batch."""

from __future__ import annotations

import logging
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

log = logging.getLogger(__name__)

UNKNOWN = 0
"""The column of every word that has none of its own, see `imdbclf.data.vocabulary`."""

BLOCK = 2048
"""Rows made at a time, at most: few enough for a processor's cache."""

IN_MEMORY = 64_000_000
"""Bytes up to which a matrix is kept in memory; a larger one lies on disk, so that memory does not grow with it."""

KEY_BITS = 32
"""Bits of the numbers that are sorted; NumPy has vector instructions for these."""


RowBlock = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]
"""Some rows: how many ones each has, and the columns of all of them one after the other."""


def offsets_of(lengths: npt.NDArray[Any], dtype: type[Any] = np.int64) -> npt.NDArray[Any]:
    """Where each of n runs of these lengths begins and the last one ends, (n + 1,)."""
    return np.concatenate([np.zeros(1, dtype=dtype), np.cumsum(lengths, dtype=dtype)])


RowValues = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int32]], npt.NDArray[np.float32] | None]
"""What gives the set columns of rows their values, or None for ones; see `imdbclf.data.term_weights.TermWeights`."""


@dataclass(frozen=True)
class MultiHotMatrix:
    """n reviews × `width` columns, stored as the columns that are set (CSR without its values).

    `offsets` (n + 1, int64) says where each row begins in `columns` (int32), which are distinct and ascending within
    a row. `columns` may be a file mapped into memory. What is set is 1, or what `term_weights` say.
    """

    offsets: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int32]
    width: int
    term_weights: RowValues | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def values(self) -> npt.NDArray[np.float32] | None:
        """The value of each set column, made when asked for; None for ones."""
        return None if self.term_weights is None else self.term_weights(self.offsets, self.columns)

    def row(self, number: int) -> npt.NDArray[np.int32]:
        """The columns that are set in one row, ascending."""
        return self.columns[self.offsets[number] : self.offsets[number + 1]]

    def take(self, rows: npt.NDArray[np.int64]) -> MultiHotMatrix:
        """The given rows, in the given order."""
        taken = self._csr[rows]
        return MultiHotMatrix(taken.indptr.astype(np.int64), taken.indices, self.width, self.term_weights)

    def between(self, start: int, stop: int) -> MultiHotMatrix:
        """The rows from `start` up to `stop`; of a matrix in memory nothing is copied but where they begin."""
        offsets = self.offsets[start : stop + 1]
        columns = self.columns[offsets[0] : offsets[-1]]
        columns = np.array(columns) if self.on_disk else columns
        return MultiHotMatrix(offsets - offsets[0], columns, self.width, self.term_weights)

    def weighted(self, term_weights: RowValues) -> MultiHotMatrix:
        """The same columns with other values."""
        return MultiHotMatrix(self.offsets, self.columns, self.width, term_weights)

    @property
    def on_disk(self) -> bool:
        """Whether the columns lie in a file."""
        return isinstance(self.columns, np.memmap)

    @cached_property
    def _csr(self) -> Any:
        """The matrix as SciPy knows it, which copies rows five times as fast as indexing by their places."""
        import scipy.sparse  # noqa: PLC0415 - a tenth of a second that classifying a text does without

        # SciPy widens the columns too where the offsets are wide.
        offsets = self.offsets.astype(np.int32) if len(self.columns) <= np.iinfo(np.int32).max else self.offsets
        # A matrix of ones has no values to carry; what stands in for them costs no memory this way.
        return scipy.sparse.csr_array((self.columns, self.columns, offsets), shape=(len(self), self.width), copy=False)


def row_blocks(n: int, width: int) -> Iterator[tuple[int, int]]:
    """First row and end of each block of n rows that can be made at once."""
    size = min(BLOCK, rows_at_once(width))
    return ((start, min(start + size, n)) for start in range(0, n, size))


def rows_at_once(width: int) -> int:
    """How many rows can be encoded at once, given their columns: row and column together fit the bits of a key."""
    return 1 << (KEY_BITS - _column_bits(width))


def _column_bits(width: int) -> int:
    return max(width - 1, 1).bit_length()


def distinct_pairs(rows: npt.NDArray[np.uint32], columns: npt.NDArray[np.int32], n: int, width: int) -> RowBlock:
    """Rows of distinct ascending columns, from pairs of row and column in any order with repeats.

    Row and column become one number each, which are sorted at once; then what equals its predecessor is dropped.

    The rows are below `n`, the columns below `width`; `n` times `width` must fit `KEY_BITS`.
    """
    bits = np.uint32(_column_bits(width))
    keys = rows << bits
    keys |= columns.view(np.uint32)
    keys.sort()
    first = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    keys = keys[first]
    begins = np.searchsorted(keys, np.arange(n, dtype=np.uint32) << bits)
    keys &= np.uint32((1 << int(bits)) - 1)
    return np.diff(begins, append=len(keys)), keys.view(np.int32)


def gathered(blocks: Iterable[RowBlock], width: int, file: IO[bytes] | None = None) -> MultiHotMatrix:
    """One matrix of all blocks, in memory or, where one is given, in a file."""
    lengths, pieces = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)]
    for block_lengths, columns in blocks:
        lengths.append(block_lengths)
        if file is None:
            pieces.append(columns)
        else:
            columns.tofile(file)
    offsets = offsets_of(np.concatenate(lengths))
    if file is None:
        return MultiHotMatrix(offsets, np.concatenate(pieces), width)
    file.flush()
    mapped = np.memmap(file, dtype=np.int32, mode="r", shape=(int(offsets[-1]),))
    weakref.finalize(mapped, file.close)
    return MultiHotMatrix(offsets, mapped, width)


def temporary_file(disk: Path | None, size: int) -> IO[bytes] | None:
    """A file for a matrix of that many bytes, which is gone as soon as nobody uses it; None to keep it in memory."""
    if disk is None or size <= IN_MEMORY:
        return None
    try:
        disk.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(disk).free
        if free > size:
            return tempfile.TemporaryFile(dir=disk, prefix="multi-hot-")
        reason = f"{free / 1e6:,.0f} MB are free"
    except OSError as error:
        reason = error.strerror or str(error)
    log.warning("The multi-hot rows need %.0f MB in %s (%s); keeping them in memory.", size / 1e6, disk, reason)
    return None
