"""Runs compared review by review: differences, tests, and the reviews that divide them most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imdbclf.reports.compare.predictions import Predictions, read_runs
from imdbclf.reports.compare.review_starts import Beginnings, find_beginnings
from imdbclf.reports.statistics import SIGNIFICANCE, holm, mcnemar_p, paired_accuracy_interval, proportion_interval


@dataclass(frozen=True)
class RunAccuracy:
    """A run's test accuracy and its 95 % interval (Wilson's)."""

    run: str
    accuracy: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """A run against the first: its accuracy minus the first's, with the bootstrap interval over reviews.

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
        """Whether the reviews show that the accuracies differ."""
        return self.p_holm < SIGNIFICANCE


@dataclass(frozen=True)
class DividingReview:
    """A review on which the runs differ: its label, each run's probability, how it begins if that is known."""

    id: str
    label: int
    probabilities: list[float]
    begins: str | None


@dataclass(frozen=True)
class RunComparison:
    """Everything that `imdbclf compare` says; `note` tells why reviews are shown without words, if they are."""

    reviews: int
    runs: list[RunAccuracy]
    differences: list[Difference]
    dividing: list[DividingReview]
    note: str | None

    def as_json(self) -> dict[str, Any]:
        """The same in plain types."""
        return asdict(self)


def compare_runs(paths: Sequence[Path], dividing: int = 10) -> RunComparison:
    """Compare every later run with the first on the test reviews that they share.

    Args:
        paths: the folders of two or more runs.
        dividing: how many of the reviews on which they differ most to give.

    Raises:
        UserError: see `read_runs`.
    """
    runs = read_runs(paths)
    names = [str(path) for path in paths]
    rows = _dividing_rows(runs, dividing)
    beginnings = find_beginnings(runs[0].folder, runs[0].ids[rows].tolist()) if len(rows) else Beginnings({}, None)
    return RunComparison(
        reviews=len(runs[0].ids),
        runs=[_accuracy(name, run) for name, run in zip(names, runs, strict=True)],
        differences=_differences(names, runs),
        dividing=[_dividing_review(runs, row, beginnings) for row in rows],
        note=beginnings.note,
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
    """The rows where the probabilities lie furthest apart, most first; equal distances in the order of rows."""
    spread = np.ptp(np.array([run.probabilities for run in runs]), axis=0)
    order = np.argsort(-spread, kind="stable")[:count]
    return [int(row) for row in order if spread[row] > 0]


def _dividing_review(runs: Sequence[Predictions], row: int, beginnings: Beginnings) -> DividingReview:
    name = str(runs[0].ids[row])
    return DividingReview(
        name,
        int(runs[0].labels[row]),
        [float(run.probabilities[row]) for run in runs],
        beginnings.of.get(name),
    )
