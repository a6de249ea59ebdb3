"""The fit of one network: trainer, epochs, checkpoints and history, in a folder of its own."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from hydra.utils import instantiate
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.trainer.states import TrainerStatus

from imdbclf.checkpoint import attachment, carries, load_plain
from imdbclf.console import console, install_command, shown_path
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.errors import UserError, one_line
from imdbclf.folders.run import RunFolder
from imdbclf.model import CHECKPOINT_KEY
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.reports.history import EpochRow, best_row, write_history
from imdbclf.settings import Settings
from imdbclf.storage import copy_file
from imdbclf.training.callbacks import Checkpoints, EpochSeed, History, LiveProgress
from imdbclf.training.checkpoint_io import DurableCheckpointIO
from imdbclf.training.process import versions

log = logging.getLogger(__name__)

_OF_CONTENTS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What is raised where something has another type or size than it must have."""


@dataclass(frozen=True)
class Fitted:
    """The result of one fit or of several that build on each other; the checkpoint is in the run folder.

    `rows` is the history, `seconds` the time of all fits and of the epochs before a stop, `data` the reviews that the
    result learned from.
    """

    rows: list[EpochRow]
    seconds: float
    data: ReviewDataModule


@dataclass
class Fit:
    """One network that learns from the reviews of a data module.

    A `quiet` fit shows no progress. `resume_from` is the checkpoint of an earlier attempt at the same fit, in the same
    folder, and may be that of the last epoch; it has priority over `ckpt_path` of the settings. What can be refused
    before the reviews are read is refused when this is made.

    Raises:
        UserError: for arguments that Lightning does not accept, or a checkpoint that cannot be read.
    """

    settings: Settings
    folder: RunFolder
    quiet: bool = False
    resume_from: Path | None = None
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        path = self.settings.ckpt_path
        self._earlier_path = self.resume_from or (Path(path).expanduser() if path is not None else None)
        self._earlier = None if self._earlier_path is None else load_plain(self._earlier_path)
        self.trainer = self._trainer()
        torch.set_num_threads(self.settings.threads or torch.get_num_threads())

    def run(self, data: ReviewDataModule) -> Fitted:
        """Fit; afterwards `best.ckpt`, `last.ckpt` and the history are in the folder.

        Raises:
            UserError: if the checkpoint to resume from does not match, or numbers are no longer finite.
            KeyboardInterrupt: if it was interrupted; its finished epochs are in the folder.
        """
        # Here, so that a network does not depend on what was fitted before it.
        pl.seed_everything(self.settings.seed, workers=True, verbose=False)
        classifier = self.classifier(data)
        rows: list[EpochRow] = []
        if self._earlier is not None:
            self._check_resumable(self._earlier, classifier, data)
            rows = rows_of(self._earlier)
            self._take_over_best(rows)
        started = time.perf_counter()
        self._fit(classifier, data)
        seconds = time.perf_counter() - started + sum(row["seconds"] for row in rows)
        if self.trainer.state.status is TrainerStatus.INTERRUPTED:
            self._keep_finished_epochs()
            raise KeyboardInterrupt
        if best_row(self.history.rows) is None:
            copy_file(self.folder.last, self.folder.best)
        write_history(self.history.rows, self.folder.history)
        return Fitted(self.history.rows, seconds, data)

    def _fit(self, classifier: ReviewClassifier, data: ReviewDataModule) -> None:
        try:
            self.trainer.fit(classifier, datamodule=data, ckpt_path=self._earlier_path, weights_only=True)
        except SystemExit:
            # Lightning raises it after it has shut down because of a KeyboardInterrupt.
            if self.trainer.state.status is not TrainerStatus.INTERRUPTED:
                raise
        except FloatingPointError as error:
            self._keep_finished_epochs()
            raise UserError(self._not_finite(error)) from error
        except (MisconfigurationException, *_OF_CONTENTS) as error:
            if (line := self._refusal(error)) is None:
                raise
            raise UserError(line) from error

    def _refusal(self, error: Exception) -> str | None:
        """What is said of an error if arguments, or a checkpoint to resume from, are the reason; None if they are not.

        Some arguments Lightning compares with the number of batches, which it knows only now. Of what is in a
        checkpoint, Lightning and torch check little; what is wrong with it shows in the first epoch.
        """
        begins = isinstance(error, ValueError) and self._earlier is None and not self.history.started
        if begins or isinstance(error, MisconfigurationException):
            return f"trainer: {one_line(error)}"
        if self._earlier is None or len(self.history.rows) > len(rows_of(self._earlier)) + 1:
            return None
        reason = f"{type(error).__name__}: {one_line(error)[:99]}"
        return f"ckpt_path={self._earlier_path}: no fit can go on from it ({reason})"

    def _keep_finished_epochs(self) -> None:
        """Write the history. An epoch that was reported but has no checkpoint yet does not count."""
        self.history.rows = _readable_rows(self.folder.last)
        if self.history.rows:
            write_history(self.history.rows, self.folder.history)

    def _not_finite(self, error: FloatingPointError) -> str:
        """What is said of a fit that was ended, with the last good checkpoint, if there is one."""
        last, lr = self.history.last_loss, self.settings.optimizer.lr
        before = "" if last is None else f" (the last training loss was {last:.4g})"
        kept = f"; epoch {len(self.history.rows)} is in {shown_path(self.folder.last)}" if self.history.rows else ""
        return (
            f"epoch {self.trainer.current_epoch + 1}: {error} is not finite{before}; try an optimizer.lr below {lr:g}, "
            f"or trainer.gradient_clip_val=1{kept}"
        )

    def classifier(self, data: ReviewDataModule) -> ReviewClassifier:
        """The untrained network, with what its checkpoints carry."""
        model, loss = self.settings.model, self.settings.loss
        classifier = ReviewClassifier(
            in_features=len(data.prepared.vectorizer),
            widths=model.widths,
            activation=model.activation,
            dropout=model.dropout,
            loss=loss.name,
            positive_weight=self._positive_weight(data),
            optimizer=self.settings.optimizer.model_dump(),
        )
        classifier.attachment = attached(self.settings, data)
        return classifier

    def _positive_weight(self, data: ReviewDataModule) -> float:
        """How often the training loss counts a positive review."""
        weight = self.settings.loss.positive_weight
        if weight != "balanced":
            return float(weight)
        labels = data.prepared.labels["train"]
        positive = float(labels.sum())
        return (len(labels) - positive) / positive

    def _trainer(self) -> pl.Trainer:
        arguments = self.settings.trainer.model_dump()
        if arguments.get("devices", "auto") == "auto":
            arguments["devices"] = 1  # Lightning would take all devices
        try:
            return pl.Trainer(
                **arguments,
                callbacks=self._callbacks(),
                logger=_made(self.settings.logger) or False,
                plugins=[DurableCheckpointIO()],
                default_root_dir=self.folder.path,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
        except (MisconfigurationException, TypeError, ValueError, RuntimeError, ImportError) as error:
            msg = f"trainer: {one_line(error)}"
            raise UserError(msg) from error

    def _callbacks(self) -> list[Callback]:
        """Only those that have something to do: Lightning calls each a dozen times a step."""
        settings = self.settings
        callbacks: list[Callback] = [self.history]
        if console().is_terminal and not self.quiet:
            callbacks.append(LiveProgress())
        if settings.model.dropout > 0:
            callbacks.append(EpochSeed(settings.seed))
        return [*callbacks, *_made(settings.callbacks), Checkpoints(self.folder, self.history)]

    def _check_resumable(self, contents: dict[str, Any], classifier: ReviewClassifier, data: ReviewDataModule) -> None:
        """Refuse a checkpoint of other reviews or another network, or one that has all epochs already."""
        if not carries(contents[CHECKPOINT_KEY], data.prepared.vectorizer):
            msg = f"ckpt_path={self._earlier_path}: was trained on other reviews or with other features"
            raise UserError(msg)
        # Checkpoints of older versions do not have these.
        if {"members": 1, "positive_weight": 1.0} | contents["hyper_parameters"] != dict(classifier.hparams):
            msg = f"ckpt_path={self._earlier_path}: has another model, loss or optimizer than this experiment"
            raise UserError(msg)
        done = int(contents["epoch"]) + 1
        if done >= (self.trainer.max_epochs or 0) and self.resume_from is None:
            msg = f"trainer.max_epochs={self.trainer.max_epochs}: must be above the checkpoint's {done} epochs"
            raise UserError(msg)

    def _take_over_best(self, rows: list[EpochRow]) -> None:
        """Copy the best epoch of these into the folder. It is in the checkpoint, or in `best.ckpt` beside it."""
        best, earlier = best_row(rows), self._earlier_path
        if best is None or earlier is None:
            return
        for path in (earlier.with_name(self.folder.best.name), earlier):
            if _readable_rows(path) == rows[: int(best["epoch"])]:
                break
        else:
            missing = f"its best epoch, {best['epoch']:.0f}, is not in {self.folder.best.name} beside it"
            cure = "give a checkpoint in the folder of its run, which must have had no final fit"
            raise UserError(f"ckpt_path={earlier}: {missing}; {cure}")
        if path.resolve() != self.folder.best.resolve():
            self.folder.checkpoints.mkdir(parents=True, exist_ok=True)
            copy_file(path, self.folder.best)


def rows_of(contents: dict[str, Any]) -> list[EpochRow]:
    """The history in a checkpoint; empty if it has none."""
    rows: list[EpochRow] = contents.get("callbacks", {}).get(History.__name__, {}).get("rows", [])
    return rows


def _readable_rows(path: Path) -> list[EpochRow]:
    """The history in a checkpoint file; empty if there is no file that can be read."""
    try:
        return rows_of(load_plain(path)) if path.exists() else []
    except UserError as error:
        log.warning("%s", error)
        return []


def where_to_go_on(settings: Settings, folder: RunFolder) -> Path | None:
    """The checkpoint from which a stopped fit goes on in its folder; None if it has to start from the first epoch.

    It has to if callbacks of a library may have wanted to end it earlier, and if the file of its best epoch is not
    there. Of an ensemble, only whole members are kept. Checkpoints that are of no use are removed.
    """
    folder.discard_unfinished()
    last, best = (_readable_rows(path) for path in (folder.last, folder.best))
    if len(best) > len(last) and best_row(best) is best[-1]:
        # The process died between the two files of an epoch, or the other one is damaged.
        copy_file(folder.best, folder.last)
        last = best
    found = best_row(last)
    if settings.callbacks or settings.model.members > 1 or not last or (found and best != last[: int(found["epoch"])]):
        folder.discard_checkpoints()
        return None
    return folder.last


def attached(settings: Settings, data: ReviewDataModule) -> dict[str, Any]:
    """What the checkpoints of an experiment carry besides the network."""
    return attachment(
        data.prepared.vectorizer,
        settings=settings.model_dump(),
        data_source=data.loaded.source.description,
        label_names=list(data.loaded.label_names),
        versions=versions(),
    )


def _made(nodes: dict[str, dict[str, Any]]) -> list[Any]:
    """The objects that `_target_` nodes describe."""
    made = []
    for name, node in nodes.items():
        try:
            made.append(instantiate(node))
        except Exception as error:
            # Hydra wraps the library's error, which says more.
            root = error.__cause__ or error
            help_ = install_command(name) if name == "tensorboard" else "install it, or name its folder in PYTHONPATH"
            missing = f"; {help_}" if isinstance(root, ImportError) else ""
            msg = f"{name} ({node.get('_target_')}): {one_line(root)[:120]}{missing}"
            raise UserError(msg) from error
    return made
