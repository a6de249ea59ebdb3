"""A callback that notes how accurate a network is on the test reviews after each step of its last epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback

from imdbclf.inference.evaluate import logits_of
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.storage import write_json

FILE = "swing.json"


class Swing(Callback):
    """Writes `swing.json` into the run folder: test accuracy, and the fraction classified as positive, by step.

    It draws no random number, so the fit is the same as without it.
    """

    def __init__(self) -> None:
        self.seen: dict[str, list[float]] = {"accuracy": [], "positive": []}

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        """Classify the test reviews, in the last epoch."""
        if trainer.current_epoch + 1 < (trainer.max_epochs or 0):
            return
        assert isinstance(pl_module, ReviewClassifier)  # noqa: S101 - every fit is of one
        prepared = trainer.datamodule.prepared  # type: ignore[attr-defined] # our own data module
        with torch.no_grad():
            positive = (logits_of(pl_module.network, prepared.matrices["test"]) > 0).numpy()
        right = positive == (prepared.labels["test"] > 0)
        self.seen["accuracy"].append(round(float(right.mean()), 5))
        self.seen["positive"].append(round(float(positive.mean()), 5))

    def on_train_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Write what was noted."""
        write_json(Path(trainer.default_root_dir) / FILE, self.seen)
