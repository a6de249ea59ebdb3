"""Runs compared on the same test reviews: predictions, differences, tests, and the largest differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from imdbclf.errors import UserError, one_line
from imdbclf.folders.run import RunFolder
from imdbclf.reports.compare.review_starts import ReviewStarts, find_review_starts
from imdbclf.reports.statistics import SIGNIFICANCE, holm, mcnemar_p, paired_accuracy_interval, proportion_interval

_COLUMNS = ("id", "label", "probability")
_TYPES = (np.str_, np.int8, np.float64)


@dataclass(frozen=True)
class Predictions:
    """A run's test reviews: ids (n,), labels 0 or 1 (n,), probabilities of being positive (n,).

    They are in the order of ids, then labels; rows that share both keep the order of the file.
    """

    folder: RunFolder
    ids: npt.NDArray[np.str_]
    labels: npt.NDArray[np.int8]
    probabilities: npt.NDArray[np.float64]

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each review is classified correctly (n,); positive is above .5, as in `metrics.json`."""
        right: npt.NDArray[np.bool_] = (self.probabilities > 0.5) == (self.labels == 1)  # noqa: PLR2004 - the threshold
        return right


@dataclass(frozen=True)
class RunAccuracy:
    """A run's test accuracy and its 95 % interval (Wilson's)."""

    run: str
    accuracy: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """A run's accuracy minus that of the first run, with the bootstrap interval over reviews.

    `p` is McNemar's exact test, `p_holm` the same adjusted for the number of runs compared with the first.
    """

    run: str
    difference: float
    interval: tuple[float, float]
    only_first_right: int
    only_this_right: int
    p: float
    p_holm: float

    @property
    def is_significant(self) -> bool:
        """Whether the test finds different accuracies."""
        return self.p_holm < SIGNIFICANCE


@dataclass(frozen=True)
class DividingReview:
    """A review that the runs classify differently: label, probability of each run, first words if they are known."""

    id: str
    label: int
    probabilities: list[float]
    begins: str | None


@dataclass(frozen=True)
class RunComparison:
    """The result of `imdbclf compare`; `note` says why the words of the reviews are missing, if they are."""

    reviews: int
    runs: list[RunAccuracy]
    differences: list[Difference]
    dividing: list[DividingReview]
    note: str | None

    def as_json(self) -> dict[str, Any]:
        """The same in plain types."""
        return asdict(self)


def compare_runs(paths: Sequence[Path], dividing: int = 10) -> RunComparison:
    """Compare every later run with the first on their common test reviews.

    Args:
        paths: the folders of two or more runs.
        dividing: number of reviews to give, of those on which the runs differ most.

    Raises:
        UserError: see `read_runs`.
    """
    runs = read_runs(paths)
    names = [str(path) for path in paths]
    rows = _dividing_rows(runs, dividing)
    starts = find_review_starts(runs[0].folder, runs[0].ids[rows].tolist()) if rows else ReviewStarts({}, None)
    return RunComparison(
        reviews=len(runs[0].ids),
        runs=[_accuracy(name, run) for name, run in zip(names, runs, strict=True)],
        differences=_differences(names, runs),
        dividing=[_dividing_review(runs, row, starts) for row in rows],
        note=starts.note,
    )


def _accuracy(name: str, run: Predictions) -> RunAccuracy:
    hits, n = int(run.right.sum()), len(run.right)
    return RunAccuracy(name, hits / n, proportion_interval(hits, n))


def _differences(names: Sequence[str], runs: Sequence[Predictions]) -> list[Difference]:
    n, first = len(runs[0].ids), runs[0].right
    counts = [(int((first & ~run.right).sum()), int((run.right & ~first).sum())) for run in runs[1:]]
    raw = [mcnemar_p(lost, won) for lost, won in counts]
    return [
        Difference(name, (won - lost) / n, paired_accuracy_interval(lost, won, n), lost, won, p, adjusted)
        for name, (lost, won), p, adjusted in zip(names[1:], counts, raw, holm(raw), strict=True)
    ]


def _dividing_rows(runs: Sequence[Predictions], count: int) -> list[int]:
    """The rows of the largest distances between probabilities, largest first; equal ones in the order of rows."""
    spread = np.ptp(np.array([run.probabilities for run in runs]), axis=0)
    order = np.argsort(-spread, kind="stable")[:count]
    return [int(row) for row in order if spread[row] > 0]


def _dividing_review(runs: Sequence[Predictions], row: int, starts: ReviewStarts) -> DividingReview:
    name, label = str(runs[0].ids[row]), int(runs[0].labels[row])
    return DividingReview(name, label, [float(run.probabilities[row]) for run in runs], starts.by_id.get(name))


def read_runs(paths: Sequence[Path]) -> list[Predictions]:
    """The predictions of the runs, with the same review in the same row.

    Raises:
        UserError: if there are fewer than two runs, one is given twice, one has no predictions, or their test reviews
            differ.
    """
    if len(paths) < 2:  # noqa: PLR2004 - to compare
        msg = "give the folders of at least two runs"
        raise UserError(msg)
    resolved = [path.expanduser().resolve() for path in paths]
    for path, count in Counter(resolved).items():
        if count > 1:
            msg = f"{paths[resolved.index(path)]}: is given {count} times; give different runs"
            raise UserError(msg)
    runs = [read_predictions(path) for path in paths]
    for other in runs[1:]:
        _check_same_reviews(runs[0], other)
    return runs


def read_predictions(path: Path) -> Predictions:
    """A run's predictions, sorted.

    Raises:
        UserError: if the folder is not that of a run, or has no predictions that can be read.
    """
    folder = RunFolder(path)
    if not folder.config.is_file() and not folder.metrics.is_file():
        msg = f"{path}: is not the folder of a run (it has no {folder.config.name})"
        raise UserError(msg)
    if not folder.predictions.is_file():
        msg = f"{path}: has no {folder.predictions.name}; the run is not finished, or had no test part"
        raise UserError(msg)
    try:
        # Arrow's `read_table` and its string arrays would import pandas.
        with pq.ParquetFile(folder.predictions) as file:
            table = file.read(columns=list(_COLUMNS))
        ids, labels, probabilities = (
            np.array(table.column(name).to_pylist(), dtype) for name, dtype in zip(_COLUMNS, _TYPES, strict=True)
        )
    except (OSError, KeyError, TypeError, ValueError, OverflowError, pa.ArrowException) as error:
        msg = f"{folder.predictions}: cannot be read ({one_line(error)[:80]})"
        raise UserError(msg) from error
    if not len(ids):
        msg = f"{folder.predictions}: has no reviews"
        raise UserError(msg)
    order = np.lexsort((labels, ids))
    return Predictions(folder, ids[order], labels[order], probabilities[order])


def _check_same_reviews(first: Predictions, other: Predictions) -> None:
    """Refuse runs with different reviews: the tests are paired."""
    if np.array_equal(first.ids, other.ids) and np.array_equal(first.labels, other.labels):
        return
    ours, theirs = (Counter(run.ids.tolist()) for run in (first, other))
    names = f"{first.folder.path} and {other.folder.path}"
    if ours != theirs:
        only = f"{(ours - theirs).total():,} only in the first, {(theirs - ours).total():,} only in the second"
        msg = f"{names}: have different test reviews ({only}); compare runs with the same test part"
        raise UserError(msg)
    count = int((first.labels != other.labels).sum())
    msg = f"{names}: have different labels for the same test reviews ({count:,} of {len(first.ids):,})"
    raise UserError(msg)
