"""What runs say of the same test reviews, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from imdbclf.errors import UserError, one_line
from imdbclf.folders.run import RunFolder

COLUMNS = ("id", "label", "probability")
_TYPES = (np.str_, np.int8, np.float64)


@dataclass(frozen=True)
class Predictions:
    """A run's test reviews: ids (n,), labels 0 or 1 (n,), probabilities of being positive (n,)."""

    folder: RunFolder
    ids: npt.NDArray[np.str_]
    labels: npt.NDArray[np.int8]
    probabilities: npt.NDArray[np.float64]

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each review is classified right; positive is above .5, as in `metrics.json`."""
        right: npt.NDArray[np.bool_] = (self.probabilities > 0.5) == (self.labels == 1)  # noqa: PLR2004 - even chances
        return right

    def sorted_by_review(self) -> Predictions:
        """The same in the order of ids, then labels; rows that share both stay in their order."""
        order = np.lexsort((self.labels, self.ids))
        return Predictions(self.folder, self.ids[order], self.labels[order], self.probabilities[order])


def read_runs(paths: Sequence[Path]) -> list[Predictions]:
    """The predictions of the runs, their rows aligned with those of the first.

    Raises:
        UserError: if there are fewer than two runs, one is named twice, one has no predictions, or their test reviews
            differ.
    """
    if len(paths) < 2:  # noqa: PLR2004 - to compare
        msg = "give the folders of at least two runs"
        raise UserError(msg)
    resolved = [path.expanduser().resolve() for path in paths]
    for path, count in Counter(resolved).items():
        if count > 1:
            msg = f"{paths[resolved.index(path)]}: is named {count} times; give different runs"
            raise UserError(msg)
    first, *others = (read_predictions(path) for path in paths)
    if all(_same_rows(first, other) for other in others):
        return [first, *others]
    first, *others = (run.sorted_by_review() for run in (first, *others))
    for other in others:
        _refuse_other_reviews(first, other)
    return [first, *others]


def read_predictions(path: Path) -> Predictions:
    """A run's predictions, in the order in which it wrote them.

    Raises:
        UserError: if the folder is none of a run, or has no predictions that can be read.
    """
    folder = RunFolder(path)
    if not folder.config.is_file() and not folder.metrics.is_file():
        msg = f"{path}: is not the folder of a run (no {folder.config.name} in it)"
        raise UserError(msg)
    if not folder.predictions.is_file():
        msg = f"{path}: has no {folder.predictions.name}; the run is not finished, or had no test part"
        raise UserError(msg)
    try:
        # Arrow's `read_table` and its arrays of texts would import pandas.
        with pq.ParquetFile(folder.predictions) as file:
            table = file.read(columns=list(COLUMNS))
        ids, labels, probabilities = (
            np.array(table.column(name).to_pylist(), dtype) for name, dtype in zip(COLUMNS, _TYPES, strict=True)
        )
    except (OSError, KeyError, TypeError, ValueError, OverflowError, pa.ArrowException) as error:
        msg = f"{folder.predictions}: cannot be read ({one_line(error)[:80]})"
        raise UserError(msg) from error
    if not len(ids):
        msg = f"{folder.predictions}: has no reviews"
        raise UserError(msg)
    return Predictions(folder, ids, labels, probabilities)


def _same_rows(first: Predictions, other: Predictions) -> bool:
    return np.array_equal(first.ids, other.ids) and np.array_equal(first.labels, other.labels)


def _refuse_other_reviews(first: Predictions, other: Predictions) -> None:
    """Refuse runs whose reviews differ, both sorted: without the same reviews nothing is paired."""
    if _same_rows(first, other):
        return
    ours, theirs = (Counter(run.ids.tolist()) for run in (first, other))
    names = f"{first.folder.path} and {other.folder.path}"
    if ours != theirs:
        only = f"{(ours - theirs).total():,} only in the first, {(theirs - ours).total():,} only in the second"
        msg = f"{names}: have different test reviews ({only})"
        raise UserError(msg)
    count = int((first.labels != other.labels).sum())
    msg = f"{names}: have the same test reviews with other labels ({count:,} of {len(first.ids):,})"
    raise UserError(msg)
