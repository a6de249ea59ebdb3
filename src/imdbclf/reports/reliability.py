"""The reliability diagram: the fraction of positive reviews against the predicted probability."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from imdbclf.reports.metrics import BINS, calibration_error
from imdbclf.reports.statistics import proportion_interval
from imdbclf.storage import atomic_write

_EDGES = np.linspace(0, 1, BINS + 1)


@dataclass(frozen=True)
class Bin:
    """The reviews with a probability between `low` and `high`.

    Attributes:
        low: lower end of the bin.
        high: upper end of the bin.
        count: number of reviews.
        predicted: their mean probability.
        observed: the fraction of positive reviews.
        interval: the 95 % interval of that fraction (Wilson's).
    """

    low: float
    high: float
    count: int
    predicted: float
    observed: float
    interval: tuple[float, float]


def reliability_bins(labels: npt.NDArray[np.int8], probabilities: npt.NDArray[np.float32]) -> list[Bin]:
    """The bins that have reviews, in ascending order; the same bins as in `calibration_error`.

    Args:
        labels: (n,) of 0 and 1.
        probabilities: (n,) of being positive.
    """
    predicted = probabilities.astype(np.float64)
    numbers = np.minimum(np.searchsorted(_EDGES, predicted, side="right") - 1, BINS - 1)
    counts = np.bincount(numbers, minlength=BINS)
    positive = np.bincount(numbers, weights=labels, minlength=BINS).astype(np.int64)
    sums = np.bincount(numbers, weights=predicted, minlength=BINS)
    return [
        Bin(
            low=float(_EDGES[k]),
            high=float(_EDGES[k + 1]),
            count=int(counts[k]),
            predicted=float(sums[k] / counts[k]),
            observed=float(positive[k] / counts[k]),
            interval=proportion_interval(int(positive[k]), int(counts[k])),
        )
        for k in np.flatnonzero(counts)
    ]


def draw_reliability(
    labels: npt.NDArray[np.int8],
    probabilities: npt.NDArray[np.float32],
    uncalibrated: npt.NDArray[np.float32],
    path: Path,
    title: str,
) -> None:
    """Draw the observed fraction against the predicted probability with intervals, and the counts below (PNG).

    The probabilities before calibration are drawn too, if they differ.

    Args:
        labels: (n,) of 0 and 1, at least one.
        probabilities: (n,) of being positive.
        uncalibrated: (n,) the same before calibration.
        path: the file to write.
        title: the title of the plot.
    """
    figure = Figure(figsize=(5.5, 6))
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    figure.subplots_adjust(left=0.13, right=0.97, top=0.93, bottom=0.08, hspace=0.06)
    upper.plot([0, 1], [0, 1], ":", color="tab:gray", label="Perfect calibration")
    if np.array_equal(probabilities, uncalibrated):
        _draw_bins(upper, lower, labels, probabilities, "tab:blue", "Network")
    else:
        _draw_bins(upper, lower, labels, uncalibrated, "tab:orange", "Before temperature scaling")
        _draw_bins(upper, lower, labels, probabilities, "tab:blue", "After temperature scaling")
    upper.set(ylabel="Fraction of positive reviews", title=title, xlim=(0, 1), ylim=(0, 1))
    lower.set(xlabel="Predicted probability of being positive", ylabel="Reviews")
    upper.title.set_fontsize(11)
    upper.legend(loc="lower right", fontsize="small")
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    with atomic_write(path) as aside:
        figure.savefig(aside, dpi=120, format="png")


def _draw_bins(
    upper: Axes,
    lower: Axes,
    labels: npt.NDArray[np.int8],
    probabilities: npt.NDArray[np.float32],
    colour: str,
    name: str,
) -> None:
    bins = reliability_bins(labels, probabilities)
    predicted, ends = [one.predicted for one in bins], [one.interval for one in bins]
    error = calibration_error(labels, probabilities)
    label = f"{name} (calibration error {error:.4f})"
    upper.plot(predicted, [one.observed for one in bins], "o-", color=colour, markersize=4, label=label)
    upper.vlines(predicted, [low for low, _ in ends], [high for _, high in ends], colors=colour)
    counts = {one.low: one.count for one in bins}
    lower.stairs([counts.get(low, 0) for low in _EDGES[:-1].tolist()], _EDGES, color=colour)
