"""The last step of a fit: a temperature for the best epoch's logits, kept in its checkpoint."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from imdbclf.data.prepared import PreparedReviews
from imdbclf.files import write_aside
from imdbclf.inference.calibration import fit_temperature
from imdbclf.inference.checkpoint import load_plain, read_checkpoint
from imdbclf.inference.predictor import logits_of
from imdbclf.model import CHECKPOINT_KEY

log = logging.getLogger(__name__)


def calibrate(checkpoint: Path, prepared: PreparedReviews) -> float:
    """Fit the temperature on the validation part and write it into the checkpoint."""
    logits = logits_of(read_checkpoint(checkpoint).network, prepared.matrices["val"]).numpy()
    temperature = fit_temperature(logits, prepared.labels["val"])
    keep_temperature(checkpoint, temperature)
    log.info("Temperature %.3f, fitted on validation: logits are divided by it", temperature)
    return temperature


def keep_temperature(checkpoint: Path, temperature: float) -> None:
    """Write a temperature into a checkpoint."""
    contents = load_plain(checkpoint)
    contents[CHECKPOINT_KEY]["temperature"] = temperature
    with write_aside(checkpoint) as aside:
        torch.save(contents, aside)
