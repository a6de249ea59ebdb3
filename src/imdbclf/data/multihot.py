"""The multi-hot encoding as rows of a sparse matrix; the dense one is only ever built batch by batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imdbclf.data.encoding import EncodedReviews

BLOCK = 1 << 16
"""Reviews encoded at a time: row numbers within a block fit 16 bits, for which NumPy sorts by radix."""


@dataclass(frozen=True)
class MultiHotMatrix:
    """n reviews × `width` columns of zeros and ones, stored as the columns of the ones (CSR without its values).

    `offsets` (n + 1, int64) says where each row begins in `columns` (int32), which are distinct and ascending within
    a row.
    """

    offsets: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int32]
    width: int

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, number: int) -> npt.NDArray[np.int32]:
        """The columns of the ones in one row, ascending."""
        return self.columns[self.offsets[number] : self.offsets[number + 1]]

    def take(self, rows: npt.NDArray[np.int64]) -> MultiHotMatrix:
        """The given rows, in the given order."""
        starts, lengths = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        offsets = _offsets(lengths)
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return MultiHotMatrix(offsets, self.columns[places], self.width)


def multi_hot(offsets: npt.NDArray[np.int64], columns: npt.NDArray[np.int32], width: int) -> MultiHotMatrix:
    """Rows of distinct ascending columns from rows of columns in any order with repeats.

    Args:
        offsets: (n + 1,) where each review's words begin in `columns`.
        columns: the column of each word.
        width: number of columns in all.
    """
    blocks = [
        _multi_hot_block(offsets[start : start + BLOCK + 1], columns, width)
        for start in range(0, max(len(offsets) - 1, 1), BLOCK)
    ]
    lengths = np.concatenate([lengths for lengths, _ in blocks])
    return MultiHotMatrix(_offsets(lengths), np.concatenate([ones for _, ones in blocks]), width)


def encode_reviews(reviews: EncodedReviews, column: npt.NDArray[np.int32], width: int) -> MultiHotMatrix:
    """The multi-hot matrix of reviews whose words are numbered by a dictionary.

    Args:
        reviews: n reviews.
        column: the column of each word of the dictionary.
        width: number of columns.
    """
    return multi_hot(reviews.offsets, column[reviews.words], width)


def _multi_hot_block(
    offsets: npt.NDArray[np.int64], columns: npt.NDArray[np.int32], width: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Sort by column, then stably by row (two linear radix sorts), then drop what equals its predecessor."""
    n = len(offsets) - 1
    column = columns[offsets[0] : offsets[-1]].astype(np.uint16 if width <= BLOCK else np.uint32)
    row = np.repeat(np.arange(n, dtype=np.uint16), np.diff(offsets))
    by_column = np.argsort(column, kind="stable")
    order = by_column[np.argsort(row[by_column], kind="stable")]
    row, column = row[order], column[order]
    first = np.ones(len(column), dtype=bool)
    first[1:] = (column[1:] != column[:-1]) | (row[1:] != row[:-1])
    return np.bincount(row[first], minlength=n), column[first].astype(np.int32)


def _offsets(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
