"""Callbacks of a fit: history, progress, the checkpoints, and the seed of each epoch."""

from __future__ import annotations

import logging
import time
from math import isfinite
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, Checkpoint
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from imdbclf.console import console
from imdbclf.folders.run import RunFolder
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.reports.history import EpochRow, best_row

log = logging.getLogger(__name__)

SECONDS_BETWEEN_UPDATES = 0.1
"""Between updates of the progress bar; an update at every batch would cost a tenth of the fit."""


class History(Callback):
    """A row of metrics for each finished epoch; part of checkpoints, so that a resumed run has all epochs.

    It ends a fit whose numbers are no longer finite, before they are in a checkpoint. `last_loss` is the last finite
    loss of a step on the CPU, or of an epoch on other devices, where a look at each step would wait for the device.
    `started` is when the epoch began; 0 before the first.
    """

    def __init__(self) -> None:
        self.rows: list[EpochRow] = []
        self.last_loss: float | None = None
        self.started = 0.0

    def on_train_epoch_start(self, *_: Any) -> None:
        """Note the time."""
        self.started = time.perf_counter()

    def on_train_batch_end(self, _trainer: pl.Trainer, _module: pl.LightningModule, outputs: Any, *_: Any) -> None:
        """Look at the loss of the step.

        Raises:
            FloatingPointError: if it is not finite.
        """
        if outputs["loss"].device.type == "cpu":
            if not isfinite(loss := outputs["loss"].item()):
                msg = "the training loss"
                raise FloatingPointError(msg)
            self.last_loss = loss

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add the row of the epoch and log it.

        Raises:
            FloatingPointError: if a metric or a weight is not finite.
        """
        assert isinstance(pl_module, ReviewClassifier)  # noqa: S101 - every fit is of one
        means = pl_module.epoch_means("train") | pl_module.epoch_means("val")
        row = {"epoch": float(trainer.current_epoch + 1)} | {name: value.item() for name, value in means.items()}
        # A loss can be finite although a gradient was not, and weights although no review of the epoch shows it.
        wrong = [name for name, value in row.items() if not isfinite(value)]
        if wrong or not all(weights.sum().isfinite() for weights in pl_module.parameters()):
            raise FloatingPointError(wrong[0] if wrong else "a weight")
        self.last_loss = row["train/loss"]
        row["seconds"] = round(time.perf_counter() - self.started, 4)
        self.rows.append(row)
        log.info("%s", epoch_line(row, trainer.max_epochs or 0))

    def state_dict(self) -> dict[str, Any]:
        """The rows."""
        return {"rows": [dict(row) for row in self.rows]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the rows of the resumed run."""
        self.rows = [dict(row) for row in state_dict["rows"]]


def epoch_line(row: EpochRow, max_epochs: int) -> str:
    """The metrics of an epoch in one line."""
    parts = [f"epoch {row['epoch']:.0f}/{max_epochs}"]
    for stage, name in (("train", "training"), ("val", "validation")):
        if f"{stage}/loss" in row:
            parts.append(f"{name} loss {row[f'{stage}/loss']:.4f}, accuracy {row[f'{stage}/accuracy']:.4f}")
    return "   ".join(parts)


class LiveProgress(Callback):
    """A progress bar over all batches of the fit, for a terminal."""

    def __init__(self) -> None:
        columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("batches"))
        self._progress = Progress(*columns, TimeRemainingColumn(), console=console(), transient=True)
        self._updated = 0.0

    def on_train_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Show the bar."""
        self._progress.add_task("training", total=int(trainer.num_training_batches) * (trainer.max_epochs or 1))
        self._progress.start()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Update it, if the last update is long enough ago."""
        now = time.perf_counter()
        if now - self._updated > SECONDS_BETWEEN_UPDATES:
            self._updated = now
            self._progress.update(self._progress.task_ids[0], completed=trainer.fit_loop.total_batch_idx + 1)

    def on_train_end(self, *_: Any) -> None:
        """Remove it."""
        self._progress.stop()

    def on_exception(self, *_: Any) -> None:
        """Remove it."""
        self._progress.stop()


class EpochSeed(Callback):
    """Seeds torch at each epoch from (seed, epoch), so that dropout in a resumed run is that of an unbroken run."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Seed the epoch."""
        torch.manual_seed((self.seed << 20) + trainer.current_epoch)


class Checkpoints(Checkpoint):
    """`best.ckpt`, the epoch of lowest validation loss, the first of equal ones, and `last.ckpt` after every epoch.

    Without validation there is no `best.ckpt`. Lightning's `ModelCheckpoint` also keeps absolute paths in checkpoints,
    which are wrong once a folder is moved or copied.
    """

    def __init__(self, folder: RunFolder, history: History) -> None:
        self.folder, self.history = folder, history

    def on_train_epoch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Save the epoch."""
        if best_row(self.history.rows) is self.history.rows[-1]:
            trainer.save_checkpoint(self.folder.best)
        trainer.save_checkpoint(self.folder.last)
