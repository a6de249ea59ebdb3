"""The reliability diagram: the fraction of positive reviews against the predicted probability."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from imdbclf.reports.figure import GREY, NETWORK, PALE, THOUSANDS, new_figure, save, styled
from imdbclf.reports.metrics import BINS, Labels, Probabilities, calibration_error
from imdbclf.reports.statistics import proportion_interval

_EDGES = np.linspace(0, 1, BINS + 1)


@dataclass(frozen=True)
class Bin:
    """A bin with reviews: their number, mean probability, and fraction of positive ones with its 95 % interval."""

    count: int
    predicted: float
    observed: float
    interval: tuple[float, float]


def reliability_bins(labels: Labels, probabilities: Probabilities) -> list[Bin]:
    """The bins that have reviews, in ascending order; the same bins as in `calibration_error`."""
    predicted = probabilities.astype(np.float64)
    numbers = np.digitize(predicted, _EDGES[1:-1])
    bins = []
    for number in np.unique(numbers):
        inside = numbers == number
        count, positive = int(inside.sum()), int(labels[inside].sum())
        mean = float(predicted[inside].mean())
        bins.append(Bin(count, mean, positive / count, proportion_interval(positive, count)))
    return bins


@styled
def draw_reliability(
    labels: Labels, probabilities: Probabilities, uncalibrated: Probabilities, path: Path, title: str
) -> None:
    """Draw the observed fraction against the predicted probability with intervals, and the counts below (PNG).

    The probabilities before calibration are drawn too, if they differ. There must be at least one review.
    """
    figure, ((upper,), (lower,)) = new_figure(5.5, 6, 2, sharex=True, height_ratios=[3, 1])
    draw_diagonal(upper)
    if np.array_equal(probabilities, uncalibrated):
        draw_bins(upper, lower, labels, probabilities, NETWORK, "Network")
    else:
        draw_bins(upper, lower, labels, uncalibrated, PALE, "Before temperature scaling")
        draw_bins(upper, lower, labels, probabilities, NETWORK, "After temperature scaling")
    upper.set(ylabel="Fraction of positive reviews", title=title, xlim=(0, 1), ylim=(0, 1))
    upper.legend(loc="lower right")
    lower.set(xlabel="Predicted probability of being positive", ylabel="Reviews")
    lower.yaxis.set_major_formatter(THOUSANDS)
    save(figure, path)


def draw_diagonal(axes: Axes) -> None:
    """Draw where the points of a perfectly calibrated network are, and the ROC curve of one that guesses."""
    axes.plot([0, 1], [0, 1], ":", color=GREY, label="Perfect calibration")


def draw_bins(
    upper: Axes, lower: Axes | None, labels: Labels, probabilities: Probabilities, colour: str, name: str
) -> None:
    """Draw the fraction in each bin with its interval, and, where there are axes for it, the number of reviews."""
    bins = reliability_bins(labels, probabilities)
    predicted, ends = [one.predicted for one in bins], [one.interval for one in bins]
    error = calibration_error(labels, probabilities)
    upper.plot(
        predicted, [one.observed for one in bins], "o-", color=colour, label=f"{name}, calibration error {error:.3f}"
    )
    upper.vlines(predicted, [low for low, _ in ends], [high for _, high in ends], colors=colour)
    if lower is not None:
        lower.stairs(*np.histogram(probabilities.astype(np.float64), _EDGES), color=colour)
