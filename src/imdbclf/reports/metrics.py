"""The metrics of a classification with their 95 % intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torchmetrics.functional.classification import (
    binary_accuracy,
    binary_auroc,
    binary_calibration_error,
    binary_f1_score,
    binary_precision,
    binary_recall,
)

from imdbclf.reports.statistics import mean_interval, proportion_interval


@dataclass(frozen=True)
class Metric:
    """A metric and the interval that holds its true value in 95 % of repetitions with other reviews."""

    value: float
    interval: tuple[float, float] | None = None


Metrics = dict[str, Metric]

BINS = 15
"""Of equal width, for the calibration error and its plot; as Guo et al. (2017) have it."""


def classification_metrics(
    labels: npt.NDArray[np.int8], probabilities: npt.NDArray[np.float32], losses: npt.NDArray[np.float64]
) -> Metrics:
    """Accuracy, loss, area under the ROC curve, precision, recall and F1 at the threshold .5, calibration error.

    Args:
        labels: (n,) of 0 and 1.
        probabilities: (n,) of being positive. Never logits: torchmetrics would take small ones for probabilities.
        losses: (n,) the loss of each review.
    """
    truth, chance = torch.from_numpy(labels.astype(np.int64)), torch.from_numpy(probabilities)
    # torchmetrics answers in single precision; the count of hits is a whole number.
    hits = round(float(binary_accuracy(chance, truth)) * len(labels))
    return {
        "accuracy": Metric(hits / len(labels), proportion_interval(hits, len(labels))),
        "loss": Metric(float(losses.mean()), mean_interval(losses)),
        "auroc": Metric(float(binary_auroc(chance, truth))),
        "precision": Metric(float(binary_precision(chance, truth))),
        "recall": Metric(float(binary_recall(chance, truth))),
        "f1": Metric(float(binary_f1_score(chance, truth))),
        "calibration_error": Metric(calibration_error(labels, probabilities)),
    }


def calibration_error(labels: npt.NDArray[np.int8], probabilities: npt.NDArray[np.float32]) -> float:
    """The expected calibration error (Naeini, Cooper, Hauskrecht, 2015) of the probability of being positive.

    The reviews are put into 15 bins by their probability, [0, 1/15) to [14/15, 1]; it is the mean over the reviews of
    their bin's distance between mean probability and share of positive reviews (torchmetrics' l1 norm). Guo et al.
    (2017) bin by the probability of the likelier class instead, which folds the two halves into one.

    torchmetrics counts and sums in the type it is given, where single precision stops counting at 16,777,216; so it is
    given double precision. It would give a probability of exactly 1 a sixteenth bin; the number before 1 has it in the
    fifteenth.

    Args:
        labels: (n,) of 0 and 1.
        probabilities: (n,) of being positive.
    """
    below_1 = torch.from_numpy(probabilities).double().clamp(max=float(np.nextafter(1, 0)))
    return float(binary_calibration_error(below_1, torch.from_numpy(labels.astype(np.int64)), n_bins=BINS, norm="l1"))
