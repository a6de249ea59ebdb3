"""The figures of a classification with their 95 % intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torchmetrics.functional.classification import (
    binary_accuracy,
    binary_auroc,
    binary_f1_score,
    binary_precision,
    binary_recall,
)

from imdbclf.reports.statistics import mean_interval, proportion_interval


@dataclass(frozen=True)
class Figure:
    """A figure and the interval that holds its true value in 95 % of repetitions with other reviews."""

    value: float
    interval: tuple[float, float] | None = None


Figures = dict[str, Figure]


def classification_figures(
    labels: npt.NDArray[np.int8], probabilities: npt.NDArray[np.float32], losses: npt.NDArray[np.float64]
) -> Figures:
    """Accuracy, loss, area under the ROC curve, precision, recall and F1 at the threshold .5.

    Args:
        labels: (n,) of 0 and 1.
        probabilities: (n,) of being positive. Never logits: torchmetrics would take small ones for probabilities.
        losses: (n,) the loss of each review.
    """
    truth, chance = torch.from_numpy(labels.astype(np.int64)), torch.from_numpy(probabilities)
    # torchmetrics answers in single precision; the count of hits is a whole number.
    hits = round(float(binary_accuracy(chance, truth)) * len(labels))
    return {
        "accuracy": Figure(hits / len(labels), proportion_interval(hits, len(labels))),
        "loss": Figure(float(losses.mean()), mean_interval(losses)),
        "auroc": Figure(float(binary_auroc(chance, truth))),
        "precision": Figure(float(binary_precision(chance, truth))),
        "recall": Figure(float(binary_recall(chance, truth))),
        "f1": Figure(float(binary_f1_score(chance, truth))),
    }
