"""Calibration after the fit: the best epoch's temperature, kept in its checkpoint."""

from __future__ import annotations

from pathlib import Path

from imdbclf.checkpoint import Checkpoint, keep_temperature
from imdbclf.data.prepare import PreparedReviews
from imdbclf.errors import UserError
from imdbclf.inference.predictor import logits_of
from imdbclf.model.calibration import fit_temperature
from imdbclf.settings import Settings


def check_calibration(settings: Settings, prepared: PreparedReviews) -> None:
    """Refuse to fit a temperature to no reviews, which a small fraction of few comes to.

    Raises:
        UserError: if the validation part is needed and empty.
    """
    if settings.calibration.name == "temperature" and not len(prepared.matrices["val"]):
        msg = (
            f"data.val_size={settings.data.val_size}: leaves no validation review, and calibration=temperature fits on "
            "them; give a larger one"
        )
        raise UserError(msg)


def calibrate(best: Checkpoint, path: Path, settings: Settings, prepared: PreparedReviews) -> bool:
    """Have the best epoch's checkpoint at the path hold the temperature that the settings ask for; whether it changed.

    The temperature depends on the weights and the validation part alone. A run that was resumed may have taken over the
    best epoch of one that asked for another calibration; its temperature is not believed.
    """
    temperature = 1.0
    if settings.calibration.name == "temperature":
        logits = logits_of(best.network, prepared.matrices["val"]).numpy()
        temperature = fit_temperature(logits, prepared.labels["val"])
    if temperature == best.temperature:
        return False
    keep_temperature(path, temperature)
    return True
