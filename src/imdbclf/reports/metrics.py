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

from imdbclf.model.calibration import EVEN
from imdbclf.reports.statistics import mean_interval, proportion_interval


@dataclass(frozen=True)
class Metric:
    """The value of a metric, and its 95 % interval if there is one."""

    value: float
    interval: tuple[float, float] | None = None


Metrics = dict[str, Metric]
Labels = npt.NDArray[np.int8]
"""(n,) of 0 and 1."""

Probabilities = npt.NDArray[np.float32]
"""(n,) of being positive; never logits."""

BINS = 15
"""Bins of equal width in the calibration error and the reliability diagram, as in Guo et al. (2017)."""


def classification_metrics(
    labels: Labels, probabilities: Probabilities, losses: npt.NDArray[np.float64], threshold: float = EVEN
) -> Metrics:
    """Accuracy, loss, area under the ROC curve, precision, recall and F1 at a threshold, calibration error.

    `losses` (n,) are those of each review. torchmetrics would take small logits for probabilities. `balanced_accuracy`
    is the mean of the two classes' accuracies, `larger_class` the fraction of reviews in the larger class, which is the
    accuracy of always predicting it. With labels of one class, the metrics that need two are left out.
    """
    truth, predicted = torch.from_numpy(labels.astype(np.int64)), torch.from_numpy(probabilities)
    # torchmetrics returns single precision; the number of hits is a whole number.
    hits = round(float(binary_accuracy(predicted, truth, threshold)) * len(labels))
    positive = float(labels.mean())
    metrics = {
        "accuracy": Metric(hits / len(labels), proportion_interval(hits, len(labels))),
        "loss": Metric(float(losses.mean()), mean_interval(losses)),
        "larger_class": Metric(max(positive, 1 - positive)),
        "calibration_error": Metric(calibration_error(labels, probabilities)),
    }
    if 0 < positive < 1:
        metrics |= {
            "auroc": Metric(float(binary_auroc(predicted, truth))),
            "precision": Metric(float(binary_precision(predicted, truth, threshold))),
            "recall": Metric(float(binary_recall(predicted, truth, threshold))),
            "f1": Metric(float(binary_f1_score(predicted, truth, threshold))),
            "balanced_accuracy": Metric(balanced_accuracy(labels, probabilities, threshold)),
        }
    return metrics


def balanced_accuracy(labels: Labels, probabilities: Probabilities, threshold: float = EVEN) -> float:
    """The mean of the accuracies on the negative and on the positive reviews."""
    right = (probabilities > threshold) == (labels == 1)
    return float((right[labels == 1].mean() + right[labels == 0].mean()) / 2)


def calibration_error(labels: Labels, probabilities: Probabilities) -> float:
    """The expected calibration error (Naeini, Cooper, Hauskrecht, 2015) of the probability of being positive.

    The reviews are put into 15 bins of equal width by their probability. In each bin, the error is the distance between
    the mean probability and the fraction of positive reviews; the result is its mean over the reviews (torchmetrics'
    l1 norm). Guo et al. (2017) use the probability of the likelier class instead.

    The probabilities are converted to double precision: torchmetrics counts in their type, and single precision cannot
    count above 16,777,216. A probability of 1 is put into the last bin; torchmetrics would add a bin for it.
    """
    below_1 = torch.from_numpy(probabilities).double().clamp(max=float(np.nextafter(1, 0)))
    return float(binary_calibration_error(below_1, torch.from_numpy(labels.astype(np.int64)), n_bins=BINS, norm="l1"))
