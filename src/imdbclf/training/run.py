"""One run of an experiment: its fits in their order, calibration, and what is written at the end."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from imdbclf.checkpoint import Checkpoint, keep_calibration, read_checkpoint
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.prepare import PreparedReviews
from imdbclf.errors import UserError
from imdbclf.folders.run import RunFolder
from imdbclf.inference.evaluate import logits_of
from imdbclf.inference.predictor import Predictor
from imdbclf.model.calibration import EVEN, HIGHEST, calibrated, fit_temperature
from imdbclf.reports.evaluation.thresholds import counts_of
from imdbclf.reports.history import EpochRow, best_row, draw_history
from imdbclf.settings import Settings
from imdbclf.storage import flush
from imdbclf.training.announcement import announce
from imdbclf.training.ensemble import fit_ensemble, learn_from_teacher
from imdbclf.training.fit import Fit, Fitted, where_to_go_on
from imdbclf.training.memory import check_memory
from imdbclf.training.results import Results
from imdbclf.training.trainer_arguments import watches_validation

log = logging.getLogger(__name__)

OF_FILMS = (
    "A wonderful film: the best performances I have seen in years, and a beautiful, moving story.",
    "What a waste of time. The plot is awful, the acting is terrible, and the jokes are just boring.",
    "A film to remember, for all the wrong reasons.",
)
OF_ANYTHING = (
    "Wonderful: the best that I have had in years, beautiful and well made.",
    "What a waste of money. It is awful, the quality is terrible, and it is just boring.",
    "One to remember, for all the wrong reasons.",
)
"""Two reviews that a run classifies at its end, and one for the user to try."""


@dataclass
class Run:
    """One run of one experiment in one folder.

    `loading` gives the reviews, which may still be read when this is made. `because` is the reason for their source, if
    the user named none. `quiet` and `resume_from` are those of `imdbclf.training.fit.Fit`. `rows` is the history of the
    fit with validation; once it is complete, `is_validated` is true. `best` is the checkpoint that the run leaves.
    """

    settings: Settings
    folder: RunFolder
    loading: Future[PreparedReviews]
    because: str | None = None
    quiet: bool = False
    resume_from: Path | None = None
    rows: list[EpochRow] = field(default_factory=list)
    is_validated: bool = False
    best: Checkpoint = field(init=False)

    def execute(self) -> dict[str, Any]:
        """Fit and evaluate; write everything into the folder and return the metrics of `metrics.json`.

        Raises:
            UserError: for anything that the user can correct.
        """
        settings, folder = self.settings, self.folder
        fit = Fit(settings, folder, self.quiet, self.resume_from)
        data = ReviewDataModule(settings.data, settings.seed, self.loading.result(), settings.features)
        check_memory(settings, len(data.vocabulary), len(data.prepared.matrices["train"]))
        _check_classes(data)
        announce(settings, data, fit.trainer, self.because)
        try:
            validated = learn(fit, data)
        except (KeyboardInterrupt, UserError):
            self._keep_history(fit.history.rows)
            raise
        self._keep_history(validated.rows)
        self.is_validated = True
        self.best = calibrate(settings, folder, validated.data.prepared)
        results, final = Results(settings, folder, data, self.because), validated
        results.evaluate("val", self.best, validated.data)
        if settings.refit:
            final = refit(settings, folder, validated, quiet=self.quiet)
            self.best = read_checkpoint(folder.best)
        results.evaluate("test", self.best, final.data)
        return results.write(validated, final, self.best, with_plot=not self.quiet)

    @property
    def texts(self) -> tuple[str, ...]:
        """Reviews of the kind that the network has learned from: files of a user need not be about films."""
        return OF_ANYTHING if self.settings.data.source == "files" else OF_FILMS

    def examples(self) -> list[str]:
        """The predictions of the network that the run leaves for two short reviews, a line each."""
        texts = self.texts[:2]
        predictions = zip(Predictor(self.best).predict(texts), texts, strict=True)
        return [f"{found.label} ({found.probability:.3f} positive): {text}" for found, text in predictions]

    def _keep_history(self, rows: list[EpochRow]) -> None:
        self.rows = rows
        if rows:
            draw_history(rows, self.folder.history_plot, self.settings.experiment)


def learn(fit: Fit, data: ReviewDataModule) -> Fitted:
    """Fit what the settings ask for: one network, which is `fit`, or an ensemble, with a teacher or without."""
    settings, folder, teaching = fit.settings, fit.folder, 0.0
    if settings.teacher.members > 0:
        data, teaching = learn_from_teacher(settings, folder, data, quiet=fit.quiet)
    fitted = fit_ensemble(settings, folder, data, quiet=fit.quiet) if settings.model.members > 1 else fit.run(data)
    folder.discard_steps()
    return replace(fitted, seconds=teaching + fitted.seconds)


def refit(settings: Settings, folder: RunFolder, validated: Fitted, *, quiet: bool) -> Fitted:
    """The lecture's last step: fit on all training reviews for as many epochs as validation found best.

    The new checkpoint replaces that of the fit with validation in the folder, and keeps its temperature and threshold.
    The result has the seconds of both fits.
    """
    best = best_row(validated.rows)
    assert best is not None  # noqa: S101 - settings with `refit` have a validation part
    final, epochs = RunFolder(folder.final), int(best["epoch"])
    log.info("The final fit, on all training reviews, %d epochs as validation found best:", epochs)
    everything = settings.changed(
        data={"val_size": 0, "folds": None, "fold": None},
        trainer={"max_epochs": epochs},
        refit=False,
        ckpt_path=None,
        calibration={"name": "none", "false_negative_cost": 1.0},
        callbacks={name: node for name, node in settings.callbacks.items() if not watches_validation(node)},
    )
    final.path.mkdir(parents=True, exist_ok=True)
    fit = Fit(everything, final, quiet, where_to_go_on(everything, final))
    fitted = learn(fit, validated.data.with_settings(everything.data))
    first = read_checkpoint(folder.best)
    keep_calibration(final.best, first.temperature, first.threshold)
    final.best.replace(folder.best)
    flush(folder.checkpoints)
    final.discard_step()
    return replace(fitted, seconds=validated.seconds + fitted.seconds)


def _check_classes(data: ReviewDataModule) -> None:
    """Refuse training reviews of one class; the other class would be unknown."""
    found = np.unique(data.loaded.corpus.parts["train"].labels)
    if len(found) == 1:
        only = f"one class only ({data.loaded.label_names[found[0]]!r})"
        msg = f"{data.loaded.source.description}: {only}; a binary classification needs reviews of exactly two labels"
        raise UserError(msg)


_AT_THE_BOUND = 0.999


def calibrate(settings: Settings, folder: RunFolder, prepared: PreparedReviews) -> Checkpoint:
    """Choose the temperature and the threshold on the validation part, and write them into the best checkpoint.

    A resumed run may have taken over the best epoch of a run with another calibration, so what is in the checkpoint is
    not trusted.
    """
    best, temperature, threshold = read_checkpoint(folder.best), 1.0, EVEN
    cost = settings.calibration.false_negative_cost
    if settings.calibration.name == "temperature" or cost != 1:
        logits, labels = logits_of(best.network, prepared.matrices["val"]), prepared.labels["val"]
    if settings.calibration.name == "temperature":
        temperature = fit_temperature(logits.numpy(), labels)
        if max(temperature, 1 / temperature) > _AT_THE_BOUND * HIGHEST:
            log.info(
                "The temperature, %.3f, is at the bound of its range: there are too few errors, or too many, to fit it",
                temperature,
            )
    if cost != 1:
        threshold = counts_of(labels, calibrated(logits, temperature).numpy())[0].cheapest(cost)
        log.info("The threshold %.3f costs least on validation: labels and metrics use it, the history .5", threshold)
    if (temperature, threshold) != (best.temperature, best.threshold):
        keep_calibration(folder.best, temperature, threshold)
    return replace(best, temperature=temperature, threshold=threshold)
