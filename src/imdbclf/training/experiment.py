"""The main job: build, fit, evaluate, report."""

from __future__ import annotations

import inspect
import logging
import shutil
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from hydra.utils import instantiate
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.trainer.states import TrainerStatus

from imdbclf.data.arrow import strings, to_arrow
from imdbclf.data.module import ReviewDataModule
from imdbclf.data.prepared import LoadedReviews
from imdbclf.errors import UserError, nearest, one_line
from imdbclf.files import write_aside, write_json
from imdbclf.folders.run import RunFolder
from imdbclf.inference.checkpoint import Checkpoint, attachment, load_plain, read_checkpoint
from imdbclf.inference.evaluation import Evaluation, evaluate_network, flat_figures
from imdbclf.inference.predictor import Predictor
from imdbclf.model import CHECKPOINT_KEY
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.reports.history import Row, best_row, draw_history, write_history
from imdbclf.reports.reliability import draw_reliability
from imdbclf.settings import Settings
from imdbclf.terminal import console
from imdbclf.training.calibration import calibrate, check_calibration
from imdbclf.training.callbacks import BestCheckpoint, EpochSeed, History, LastCheckpoint, LiveProgress
from imdbclf.training.environment import versions
from imdbclf.training.processes import lead_processes
from imdbclf.training.trial import RunningTrial

log = logging.getLogger(__name__)

EXAMPLES = (
    "A wonderful film: the best performances I have seen in years, and a beautiful, moving story.",
    "What a waste of time. The plot is awful, the acting is terrible, and the jokes are just boring.",
)


class Interrupted(Exception):  # noqa: N818 - not an error, an event
    """Somebody stopped the fit; the epochs that have a checkpoint are in the folder."""


class Pruned(Exception):  # noqa: N818 - not an error, an event
    """The search that the run is a trial of ended the fit; why is in the folder's `pruned.json`."""


@dataclass
class Experiment:
    """One run of one experiment in one folder; the methods are the steps, in order.

    `loading` will have the reviews, which may be on their way while this is made; `because` says why they come from
    where they do, where nobody named a source. A `quiet` one shows no progress. `going_on_from` is the checkpoint of
    an earlier attempt at this very run; it counts before the settings' `ckpt_path`. `trial` is what a search may end.
    """

    settings: Settings
    folder: RunFolder
    loading: Future[LoadedReviews]
    because: str | None = None
    quiet: bool = False
    going_on_from: Path | None = None
    trial: RunningTrial | None = None
    history: History = field(default_factory=History)
    fit_seconds: float = 0.0

    def run(self) -> dict[str, Any]:
        """Build, fit, evaluate; write everything into the folder and return the figures of `metrics.json`.

        Raises:
            UserError: for anything that the person who asked for the run can put right.
            Interrupted: if Ctrl-C or SIGTERM ended the fit.
            Pruned: if the search did.
        """
        pl.seed_everything(self.settings.seed, workers=True, verbose=False)
        trainer = self._trainer()
        begun = None if self._begun_from is None else load_plain(self._begun_from)
        torch.set_num_threads(self.settings.threads or torch.get_num_threads())
        check_calibration(self.settings, self.data.prepared)
        self._announce(trainer)
        if begun is not None:
            self._check_resumable(begun, trainer)
        self._fit(trainer)
        self._report_history()
        if self.folder.pruned.exists():
            raise Pruned
        if calibrate(self.best, self.folder.best, self.settings, self.data.prepared):
            del self.best  # to be read again, with its temperature
        return self._evaluate()

    def examples(self) -> list[str]:
        """What the best network says of two short reviews, a line each."""
        predictions = Predictor(self.best).predict(EXAMPLES)
        return [
            f"{prediction.label} ({prediction.probability:.3f} positive): {text}"
            for text, prediction in zip(EXAMPLES, predictions, strict=True)
        ]

    @cached_property
    def data(self) -> ReviewDataModule:
        """The reviews."""
        return ReviewDataModule(self.settings.data, self.settings.seed, self.loading.result())

    @cached_property
    def classifier(self) -> ReviewClassifier:
        """The network, with what its checkpoints carry."""
        settings = self.settings
        classifier = ReviewClassifier(
            in_features=len(self.data.vocabulary),
            widths=settings.model.widths,
            activation=settings.model.activation,
            dropout=settings.model.dropout,
            loss=settings.loss.name,
            optimizer=settings.optimizer.model_dump(),
        )
        classifier.attachment = attachment(
            self.data.vocabulary,
            settings=settings.model_dump(),
            data_source=self.data.source.description,
            label_names=list(self.data.encoded.label_names),
            versions=versions(),
        )
        return classifier

    @cached_property
    def best(self) -> Checkpoint:
        """The best epoch's checkpoint, as whoever reloads it will find it; there once the fit is over."""
        return read_checkpoint(self.folder.best)

    @property
    def _begun_from(self) -> Path | None:
        path = self.settings.ckpt_path
        return self.going_on_from or (Path(path).expanduser() if path is not None else None)

    def _trainer(self) -> pl.Trainer:
        arguments = self.settings.trainer.model_dump()
        known = inspect.signature(pl.Trainer).parameters
        for name in arguments:
            if name not in known:
                msg = (
                    f"trainer.{name}={arguments[name]}: Lightning's Trainer has no such argument{nearest(name, known)}"
                )
                raise UserError(msg)
        try:
            trainer = pl.Trainer(
                **arguments,
                callbacks=self._callbacks(),
                logger=_made(self.settings.logger) or False,
                default_root_dir=self.folder.path,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
        except (TypeError, ValueError, RuntimeError, ImportError) as error:
            msg = f"trainer: {one_line(error)}"
            raise UserError(msg) from error
        lead_processes(trainer)
        return trainer

    def _callbacks(self) -> list[Callback]:
        """Only those that have something to do: each is asked a dozen times a step."""
        settings, checkpoints = self.settings, self.folder.checkpoints
        callbacks: list[Callback] = [self.history]
        if console().is_terminal and not self.quiet:
            callbacks.append(LiveProgress())
        if settings.model.dropout > 0:
            callbacks.append(EpochSeed(settings.seed))
        if self.trial is not None:
            from imdbclf.training.pruning import Pruning  # noqa: PLC0415 - imports Optuna, which only a search has

            callbacks.append(Pruning(self.trial, self.folder))
        return [*callbacks, *_made(settings.callbacks), BestCheckpoint(checkpoints), LastCheckpoint(checkpoints)]

    def _announce(self, trainer: pl.Trainer) -> None:
        data, model = self.data, self.classifier
        parts = {part: len(matrix) for part, matrix in data.prepared.matrices.items()}
        names = data.encoded.label_names
        log.info("Data:   %s%s", data.source.description, f" (because {self.because})" if self.because else "")
        log.info(
            "        %s; %s = 0, %s = 1; words %s",
            ", ".join(f"{count:,} {_PART_NAMES[part]}" for part, count in parts.items()) + " reviews",
            *names,
            "from the cache" if data.encoded.from_cache else "encoded now",
        )
        if len(data.vocabulary) < self.settings.data.vocab_size:
            log.info("        only %s columns: the training part has no more words", f"{len(data.vocabulary):,}")
        size, processes = self.settings.data.batch_size, trainer.world_size
        if parts["train"] < size * processes:
            log.info("        one batch an epoch: the training part has no more reviews")
        log.info(
            "Model:  %s, %s; %s, %s; %s parameters",
            "-".join(map(str, [*self.settings.model.widths, 1])),
            self.settings.model.activation,
            self.settings.loss.name,
            self.settings.optimizer.name,
            f"{model.network.parameter_count:,}",
        )
        log.info(
            "Fit:    %d epochs in batches of %s on %s (threads: %d), seed %d",
            trainer.max_epochs,
            size if processes == 1 else f"{processes} × {size}, a process each,",
            trainer.strategy.root_device,
            torch.get_num_threads(),
            self.settings.seed,
        )

    def _fit(self, trainer: pl.Trainer) -> None:
        started = time.perf_counter()
        try:
            trainer.fit(self.classifier, datamodule=self.data, ckpt_path=self._begun_from, weights_only=True)
        except SystemExit:
            # What Lightning raises after it has shut down in good order because of a KeyboardInterrupt.
            if trainer.state.status is not TrainerStatus.INTERRUPTED:
                raise
        self.fit_seconds = time.perf_counter() - started
        if trainer.state.status is TrainerStatus.INTERRUPTED:
            # An epoch whose figures were said but whose checkpoint was not written yet does not count.
            saved = load_plain(self.folder.last)["epoch"] + 1 if self.folder.last.exists() else 0
            self.history.rows = self.history.rows[:saved]
            self._report_history()
            raise Interrupted
        if best_row(self.history.rows) is None:
            shutil.copyfile(self.folder.last, self.folder.best)

    def _check_resumable(self, contents: dict[str, Any], trainer: pl.Trainer) -> None:
        """Refuse to go on from a checkpoint of other reviews or another network, or one that has seen it all."""
        if contents[CHECKPOINT_KEY]["vocabulary"] != self.data.vocabulary.as_text():
            msg = f"ckpt_path={self.settings.ckpt_path}: was trained on other reviews or with another vocabulary"
            raise UserError(msg)
        if contents["hyper_parameters"] != dict(self.classifier.hparams):
            msg = f"ckpt_path={self.settings.ckpt_path}: has another model, loss or optimizer than this experiment"
            raise UserError(msg)
        done = int(contents["epoch"]) + 1
        if done >= (trainer.max_epochs or 0):
            msg = f"trainer.max_epochs={trainer.max_epochs}: must be above the checkpoint's {done} epochs"
            raise UserError(msg)

    def _report_history(self) -> None:
        rows = self.history.rows
        if rows:
            write_history(rows, self.folder.history)
            draw_history(rows, self.folder.picture, self.settings.experiment)

    def _evaluate(self) -> dict[str, Any]:
        """The figures of the best epoch, on validation and test."""
        prepared = self.data.prepared
        figures: dict[str, Any] = {}
        evaluated: dict[str, Evaluation] = {}
        for part in ("val", "test"):
            if part in prepared.matrices and len(prepared.matrices[part]):
                evaluation = evaluate_network(
                    self.best.network,
                    self.best.loss,
                    prepared.matrices[part],
                    prepared.labels[part],
                    self.best.temperature,
                )
                figures |= flat_figures(part, evaluation)
                if part == "test":
                    self._write_predictions(evaluation)
                evaluated[part] = evaluation
        if evaluated and not self.quiet:
            # A sweep's jobs do without: it takes as long to draw as the history, and is for who looks at one run.
            self._draw_reliability(*list(evaluated.items())[-1])
        metrics = figures | self._facts(self.history.rows)
        write_json(self.folder.metrics, metrics)
        return metrics

    def _facts(self, rows: list[Row]) -> dict[str, Any]:
        best = best_row(rows) or rows[-1]
        prepared = self.data.prepared
        return {
            "train/loss": rows[-1]["train/loss"],
            "train/accuracy": rows[-1]["train/accuracy"],
            "best_epoch": int(best["epoch"]),
            "epochs": int(rows[-1]["epoch"]),
            "temperature": self.best.temperature,
            "parameters": self.classifier.network.parameter_count,
            "columns": len(prepared.vocabulary),
            "fit_seconds": round(self.fit_seconds, 3),
            "data_source": self.data.source.description,
            "data_source_because": self.because,
            "reviews": {part: len(matrix) for part, matrix in prepared.matrices.items()},
            "seed": self.settings.seed,
            "experiment": self.settings.experiment,
        }

    def _draw_reliability(self, part: str, evaluation: Evaluation) -> None:
        title = f"{self.settings.experiment}: {len(evaluation.probabilities):,} {_PART_NAMES[part]} reviews"
        labels, path = self.data.prepared.labels[part], self.folder.reliability
        draw_reliability(labels, evaluation.probabilities, evaluation.uncalibrated, path, title)

    def _write_predictions(self, evaluation: Evaluation) -> None:
        test = self.data.encoded.corpus.parts["test"]
        table = pa.table(
            {
                "id": strings(test.review_names()),
                "label": to_arrow(test.labels),
                "probability": to_arrow(evaluation.probabilities),
            }
        )
        with write_aside(self.folder.predictions) as aside:
            pq.write_table(table, aside)


_PART_NAMES = {"train": "training", "val": "validation", "test": "test"}


def _made(nodes: dict[str, dict[str, Any]]) -> list[Any]:
    """The objects that `_target_` nodes describe.

    Raises:
        UserError: if one can't be made, in a line with its name.
    """
    made = []
    for name, node in nodes.items():
        try:
            made.append(instantiate(node))
        except Exception as error:
            # Hydra wraps whatever the library raises; the innermost message is the one that helps.
            root = error.__cause__ or error
            missing = f"; pip install 'imdbclf[{name}]'" if isinstance(root, ImportError) else ""
            msg = f"{name} ({node.get('_target_')}): {one_line(root)[:120]}{missing}"
            raise UserError(msg) from error
    return made
