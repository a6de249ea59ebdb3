"""`imdbclf compare`: each later run against the first, on the test reviews that both have predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from imdbclf.console import console, tell, text_table
from imdbclf.reports.labels import number_of, p_cell, p_text, percent, signed
from imdbclf.reports.predictions import Predictions, first_words, read_runs
from imdbclf.reports.statistics import SIGNIFICANCE, holm, mcnemar_p, paired_accuracy_interval, proportion_interval

CAUTION = (
    "This compares networks, not settings: another seed gives other networks. To compare settings, run both with "
    "several seeds (imdbclf train -m … 'seed=range(5)')."
)


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


def compare_runs(paths: Sequence[Path], dividing: int = 10) -> RunComparison:
    """Compare every later run with the first, with the `dividing` most different reviews. Errors: `read_runs`."""
    runs = read_runs(paths)
    names = [str(path) for path in paths]
    reviews, note = _dividing(runs, dividing)
    return RunComparison(
        reviews=len(runs[0].ids),
        runs=[
            RunAccuracy(name, float(run.right.mean()), proportion_interval(int(run.right.sum()), len(run.right)))
            for name, run in zip(names, runs, strict=True)
        ],
        differences=_differences(names, runs),
        dividing=reviews,
        note=note,
    )


def _differences(names: Sequence[str], runs: Sequence[Predictions]) -> list[Difference]:
    n, first = len(runs[0].ids), runs[0].right
    counts = [(int((first & ~run.right).sum()), int((run.right & ~first).sum())) for run in runs[1:]]
    raw = [mcnemar_p(lost, won) for lost, won in counts]
    return [
        Difference(name, (won - lost) / n, paired_accuracy_interval(lost, won, n), lost, won, p, adjusted)
        for name, (lost, won), p, adjusted in zip(names[1:], counts, raw, holm(raw), strict=True)
    ]


def _dividing(runs: Sequence[Predictions], count: int) -> tuple[list[DividingReview], str | None]:
    """The reviews with the largest distances between probabilities, largest first, and a note if words are missing."""
    first, probabilities = runs[0], np.array([run.probabilities for run in runs])
    spread = np.ptp(probabilities, axis=0)
    rows = [row for row in np.argsort(-spread, kind="stable")[:count].tolist() if spread[row] > 0]
    if not rows:
        return [], None
    names = first.ids[rows].tolist()
    words, note = first_words(first.folder, names)
    return [
        DividingReview(name, int(first.labels[row]), probabilities[:, row].tolist(), words.get(name))
        for name, row in zip(names, rows, strict=True)
    ], note


def print_comparison(comparison: RunComparison) -> None:
    """A row for each run, a sentence for each difference, and the reviews on which the runs differ most."""
    out, names = console(), [_short_name(number) for number in range(1, len(comparison.runs) + 1)]
    for name, run in zip(names, comparison.runs, strict=True):
        tell(f"{name}  {run.run}")
    out.print(_runs_table(names, comparison))
    for name, difference in zip(names[1:], comparison.differences, strict=True):
        tell(_difference_sentence(name, difference, is_adjusted=len(comparison.differences) > 1))
    if comparison.dividing:
        tell(f"\nThe largest differences among {number_of(comparison.reviews, 'test review')}:")
        out.print(_dividing_table(names, comparison))
    if comparison.note:
        tell(f"({comparison.note})")
    tell(f"\n{CAUTION}")


def _short_name(number: int) -> str:
    """A, B, …, Z, AA, and so on."""
    rest, letter = divmod(number - 1, 26)
    return (_short_name(rest) if rest else "") + chr(ord("A") + letter)


def _difference_sentence(name: str, difference: Difference, *, is_adjusted: bool) -> str:
    low, high = (signed(end) for end in difference.interval)
    points = f"{name} − A: {signed(difference.difference)} points (95 % interval {low} to {high})"
    found = "significant" if difference.is_significant else "not significant"
    return f"{points}, {found} ({p_text(difference.p_holm)}{', Holm' if is_adjusted else ''})."


def _runs_table(names: Sequence[str], comparison: RunComparison) -> Table:
    rows = []
    for name, run in zip(names, comparison.runs, strict=True):
        low, high = run.interval
        rows.append([name, percent(run.accuracy), f"{percent(low)} – {percent(high)}"])
    for cells, found in zip(rows[1:], comparison.differences, strict=True):
        counts = [f"{found.only_first_right:,}", f"{found.only_this_right:,}"]
        cells += [signed(found.difference), *counts, p_cell(found.p_holm)]
    heads = ["", "accuracy", "95 % interval", "minus A, points", "only A right", "only this right", "p"]
    return text_table(heads, rows)


def _dividing_table(names: Sequence[str], comparison: RunComparison) -> Table:
    rows = [
        [review.id, str(review.label), *(f"{chance:.3f}" for chance in review.probabilities), review.begins or "–"]
        for review in comparison.dividing
    ]
    table = text_table(["review", "label", *names, "first words"], rows)
    table.columns[-1].justify = "left"
    return table
