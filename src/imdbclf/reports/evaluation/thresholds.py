"""What a classification does at every threshold: curves, the cost of its errors, and intervals by bootstrap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from imdbclf.model.calibration import EVEN
from imdbclf.reports.metrics import BINS, Labels, Metric, Metrics, Probabilities
from imdbclf.reports.statistics import CONFIDENCE, proportion_interval

RESAMPLES = 999
"""Bootstrap samples: the ends of an interval vary by some hundredths of its length."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """The reviews by probability: the k different values, descending, and the negative and positive reviews of each.

    `values` is float32 (k,), `reviews` int64 (2, k).
    """

    values: Probabilities
    reviews: npt.NDArray[np.int64]

    @cached_property
    def above(self) -> npt.NDArray[np.int64]:
        """False and true positives if the reviews of the first 0 to k values are called positive, (2, k + 1)."""
        return np.pad(np.cumsum(self.reviews, axis=1), ((0, 0), (1, 0)))

    def at(self, threshold: float) -> dict[str, float]:
        """The four counts and what follows from them, if a probability above the threshold means positive."""
        false, true = self.above[:, np.count_nonzero(self.values > threshold)].tolist()
        negative, positive = self.above[:, -1].tolist()
        return {
            "threshold": threshold,
            "true_positives": true,
            "false_positives": false,
            "false_negatives": positive - true,
            "true_negatives": negative - false,
            "accuracy": (true + negative - false) / (positive + negative),
            "precision": true / max(true + false, 1),
            "recall": true / max(positive, 1),
            "f1": 2 * true / max(true + false + positive, 1),
        }

    def costs(self, false_negative: float) -> Floats:
        """The cost if the reviews of the first 0 to k values are called positive, (k + 1,); a false positive is 1."""
        false, true = self.above
        costs: Floats = false + false_negative * (true[-1] - true)
        return costs

    def cheapest(self, false_negative: float) -> float:
        """The threshold of the least cost, halfway between two probabilities, in their precision."""
        ends = np.pad(self.values, 1, constant_values=(1, 0))
        place = int(self.costs(false_negative).argmin())
        above, below = ends[place : place + 2]
        middle = (above + below) / 2
        return float(middle if middle < above else below)


def counts_of(labels: Labels, probabilities: Probabilities) -> tuple[Counts, npt.NDArray[np.int64]]:
    """The counts, and the cell of each review in their flat form (n,), from which resamples are made."""
    values, places = np.unique(-probabilities, return_inverse=True)
    cells = places + len(values) * (labels == 1)
    return Counts(-values, np.bincount(cells, minlength=2 * len(values)).reshape(2, -1)), cells


def areas(counts: Counts, threshold: float = EVEN) -> dict[str, float]:
    """Metrics that have no formula for their interval; reviews of both classes are needed."""
    (false, true), (negative, positive) = counts.above, counts.above[:, -1]
    precision = true[1:] / np.maximum(true[1:] + false[1:], 1)
    here = counts.at(threshold)
    bins = np.minimum((counts.values.astype(np.float64) * BINS).astype(np.int64), BINS - 1)
    distances = np.bincount(bins, counts.reviews[1] - counts.values.astype(np.float64) * counts.reviews.sum(axis=0))
    return {
        "auroc": float(np.trapezoid(true, false) / (negative * positive)),
        "average_precision": float((precision * counts.reviews[1]).sum() / positive),
        "f1": here["f1"],
        "balanced_accuracy": (here["recall"] + here["true_negatives"] / negative) / 2,
        "calibration_error": float(np.abs(distances).sum() / (negative + positive)),
    }


def with_intervals(
    metrics: Metrics, labels: Labels, probabilities: Probabilities, threshold: float = EVEN, seed: int = 0
) -> Metrics:
    """The metrics and the average precision, each with an interval: Wilson's, Student's, or by bootstrap.

    A resample is as many reviews as there are, drawn with replacement (Efron, 1979). With labels of one class, metrics
    without an interval keep none.
    """
    counts, cells = counts_of(labels, probabilities)
    if "auroc" not in metrics:
        return metrics
    here = counts.at(threshold)
    hits = int(here["true_positives"])
    found = metrics | {"average_precision": Metric(areas(counts)["average_precision"])}
    for name, others in (("precision", "false_positives"), ("recall", "false_negatives")):
        if n := hits + int(here[others]):
            found[name] = Metric(found[name].value, proportion_interval(hits, n))
    random, n = np.random.default_rng(seed), len(cells)
    drawn = (np.bincount(cells[random.integers(n, size=n)], minlength=counts.reviews.size) for _ in range(RESAMPLES))
    resamples = (replace(counts, reviews=one.reshape(2, -1)) for one in drawn)
    sampled = [list(areas(one, threshold).values()) for one in resamples if one.above[:, -1].all()]
    tail = 50 * (1 - CONFIDENCE)
    for name, ends in zip(areas(counts), np.percentile(sampled, [tail, 100 - tail], axis=0).T.tolist(), strict=True):
        found[name] = Metric(found[name].value, tuple(ends))
    return found
