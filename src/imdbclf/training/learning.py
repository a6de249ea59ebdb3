"""How an experiment comes to its checkpoint: a fit, or several that build on each other."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from imdbclf.checkpoint import keep_temperature, read_checkpoint
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.folders.run import RunFolder
from imdbclf.reports.history import EpochRow, best_row
from imdbclf.settings import CalibrationSettings, Settings
from imdbclf.training.distillation import learn_from_teacher
from imdbclf.training.ensemble import fit_ensemble
from imdbclf.training.fit import Fit

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Course:
    """What a fit went through: the history and the seconds that it took, and the reviews that it learnt from."""

    rows: list[EpochRow]
    seconds: float
    data: ReviewDataModule


def learn(settings: Settings, folder: RunFolder, data: ReviewDataModule, fit: Fit) -> Course:
    """Fit what the settings ask for: one network, an ensemble, or either of them with a teacher.

    Args:
        settings: the experiment.
        folder: where its checkpoints and its history go.
        data: its reviews.
        fit: that of a single network, prepared.

    Raises:
        UserError: if the checkpoint to go on from does not fit.
        Interrupted: if Ctrl-C or SIGTERM ended a fit.
    """
    teaching = 0.0
    if settings.teacher.members > 0:
        data, teaching = learn_from_teacher(settings, folder, data, quiet=fit.quiet)
    if settings.model.members > 1:
        rows, seconds = fit_ensemble(settings, folder, data, quiet=fit.quiet)
    else:
        fit.run(data)
        rows, seconds = fit.history.rows, fit.seconds
    folder.discard_steps()
    return Course(rows, teaching + seconds, data)


def refit(settings: Settings, folder: RunFolder, validated: Course, *, quiet: bool) -> Course:
    """The lecture's last step: learn from all training reviews for as many epochs as validation found best.

    The checkpoint of the validated fit gives way to the new one, with the temperature that validation gave.

    Args:
        settings: the experiment.
        folder: has the validated checkpoint.
        validated: what came to it.
        quiet: whether to show no progress.

    Returns:
        What the final fit went through; its seconds are those of both.

    Raises:
        Interrupted: if Ctrl-C or SIGTERM ended a fit.
    """
    best = best_row(validated.rows)
    assert best is not None  # noqa: S101 - settings with `refit` have a validation part
    final, epochs = RunFolder(folder.final), int(best["epoch"])
    log.info("The final fit, on all training reviews, %d epochs as validation found best:", epochs)
    everything = _on_everything(settings, epochs)
    final.path.mkdir(parents=True, exist_ok=True)
    fit = Fit(everything, final, quiet)
    fit.prepare()
    course = learn(everything, final, validated.data.with_settings(everything.data), fit)
    keep_temperature(final.best, read_checkpoint(folder.best).temperature)
    final.best.replace(folder.best)
    final.discard_step()
    return replace(course, seconds=validated.seconds + course.seconds)


def _on_everything(settings: Settings, epochs: int) -> Settings:
    data = settings.data.model_copy(update={"val_size": 0})
    trainer = settings.trainer.model_copy(update={"max_epochs": epochs})
    changed = {
        "data": data,
        "trainer": trainer,
        "refit": False,
        "ckpt_path": None,
        "calibration": CalibrationSettings(),
    }
    return settings.model_copy(update=changed)
