"""The figures of a checkpoint on the reviews of a source: the same code for the training job and for `evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.inference.checkpoint import Checkpoint
from imdbclf.inference.predictor import logits_of
from imdbclf.model.losses import LOSSES
from imdbclf.model.temperature import calibrated
from imdbclf.reports.figures import Figures, classification_figures


@dataclass(frozen=True)
class Evaluation:
    """Probabilities of being positive, float32 (n,), and the figures that follow from them.

    `uncalibrated` are the probabilities at the temperature 1, float32 (n,).
    """

    probabilities: npt.NDArray[np.float32]
    uncalibrated: npt.NDArray[np.float32]
    figures: Figures


def evaluate_checkpoint_on(checkpoint: Checkpoint, matrix: MultiHotMatrix, labels: npt.NDArray[np.int8]) -> Evaluation:
    """Run the network over all rows on the CPU and compare with the labels (n,).

    All figures are those of the logits divided by the temperature, the loss included.
    """
    logits, temperature = logits_of(checkpoint.network.cpu().eval(), matrix), checkpoint.temperature
    truth = torch.from_numpy(labels.astype(np.float64))
    losses = LOSSES[checkpoint.loss](logits.double() / temperature, truth, reduction="none")
    probabilities = calibrated(logits, temperature).numpy()
    uncalibrated = torch.sigmoid(logits).numpy()
    return Evaluation(probabilities, uncalibrated, classification_figures(labels, probabilities, losses.numpy()))


def flat_figures(part: str, evaluation: Evaluation) -> dict[str, Any]:
    """`PART/NAME` to value and, where there is one, `PART/NAME_interval` to its two ends."""
    flat: dict[str, Any] = {}
    for name, figure in evaluation.figures.items():
        flat[f"{part}/{name}"] = figure.value
        if figure.interval is not None:
            flat[f"{part}/{name}_interval"] = list(figure.interval)
    return flat
