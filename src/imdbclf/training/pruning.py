"""Ending a search's trial early: an epoch's figure goes to the search's journal, and what Optuna says of it is done.

Optuna has a callback for Lightning of its own (`optuna-integration`). It wants the trial as an object, which does not
travel to another process, and raises in the middle of the epoch, before its row and its checkpoint are written; and it
can't do with a trial that goes on after an interruption. Hence this one, which knows the trial by number.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from imdbclf.folders.journal import open_journal
from imdbclf.folders.run import RunFolder
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.storage import write_json
from imdbclf.training.optuna_names import make_pruner

if TYPE_CHECKING:
    from optuna.trial import Trial

    from imdbclf.training.trial import RunningTrial

log = logging.getLogger(__name__)


class Pruning(Callback):
    """Reports each validated epoch, and ends the fit in good order where the pruner finds it not worth going on.

    `pruned.json` is written here, before the epoch's checkpoint: after a kill between the two, the epoch is done again
    and ended again.
    """

    def __init__(self, running: RunningTrial, folder: RunFolder) -> None:
        self.running, self.folder = running, folder
        self.ended = False
        self._trial: Trial | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Find the trial in the journal."""
        if trainer.is_global_zero:
            self._trial = _found(self.running)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the epoch, and ask."""
        assert isinstance(pl_module, ReviewClassifier)  # noqa: S101 - what our training job trains
        means = pl_module.epoch_means("val")
        if self.running.monitor not in means:
            return
        value, epoch = means[self.running.monitor].item(), trainer.current_epoch + 1
        is_hopeless = self._trial is not None and _reported(self._trial, value, epoch)
        self.ended = bool(trainer.strategy.broadcast(is_hopeless))
        if self.ended and trainer.is_global_zero:
            reason = f"{self.running.pruner} pruner, {self.running.monitor} {value:.4f}"
            about = {"epoch": epoch, "reason": reason, "study": self.running.study, "trial": self.running.number}
            write_json(self.folder.pruned, about)
            log.info("Ended early: %s", reason)
        trainer.should_stop = trainer.should_stop or self.ended


def _found(running: RunningTrial) -> Trial:
    import optuna  # noqa: PLC0415 - takes a third of a second, and only a search has it

    storage = open_journal(running.journal)
    pruner = make_pruner(running.pruner, running.pruner_options)
    # A sampler without a memory: the trial has its values.
    sampler = optuna.samplers.RandomSampler()
    study = optuna.load_study(study_name=running.study, storage=storage, sampler=sampler, pruner=pruner)
    known = storage.get_study_id_from_name(running.study)
    return optuna.trial.Trial(study, storage.get_trial_id_from_study_id_trial_number(known, running.number))


def _reported(trial: Trial, value: float, epoch: int) -> bool:
    """Whether the trial should end; an attempt that begins anew says nothing of epochs that an earlier one reported."""
    last = trial.storage.get_trial(trial._trial_id).last_step or 0
    if epoch > last:
        trial.report(value, epoch)
    return epoch >= last and trial.should_prune()
