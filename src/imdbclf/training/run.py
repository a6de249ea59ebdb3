"""The main job: build, fit, evaluate, report."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from imdbclf.checkpoint import Checkpoint, read_checkpoint
from imdbclf.data.arrow import strings, to_arrow
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.prepare import PreparedReviews
from imdbclf.folders.run import RunFolder
from imdbclf.inference.evaluate import Evaluation, evaluate_checkpoint_on, flat_metrics
from imdbclf.inference.predictor import Predictor
from imdbclf.reports.history import EpochRow, best_row
from imdbclf.reports.reliability import draw_reliability
from imdbclf.settings import Settings
from imdbclf.storage import atomic_write, write_json
from imdbclf.training.announcement import PART_NAMES, announce
from imdbclf.training.calibration import calibrate, check_calibration
from imdbclf.training.fit import Fit
from imdbclf.training.learning import Course, learn, refit

EXAMPLES = (
    "A wonderful film: the best performances I have seen in years, and a beautiful, moving story.",
    "What a waste of time. The plot is awful, the acting is terrible, and the jokes are just boring.",
)


@dataclass
class Experiment:
    """One run of one experiment in one folder; the methods are the steps, in order.

    `loading` will have the reviews, which may be on their way while this is made; `because` says why they come from
    where they do, where nobody named a source. See `imdbclf.training.fit.Fit` for the others.
    Once `is_validated`, what is being fitted is the final network.
    """

    settings: Settings
    folder: RunFolder
    loading: Future[PreparedReviews]
    because: str | None = None
    quiet: bool = False
    going_on_from: Path | None = None
    rows: list[EpochRow] = field(default_factory=list)
    is_validated: bool = False

    def run(self) -> dict[str, Any]:
        """Build, fit, evaluate; write everything into the folder and return the figures of `metrics.json`.

        Raises:
            UserError: for anything that the person who asked for the run can put right.
            Interrupted: if Ctrl-C or SIGTERM ended the fit.
        """
        fit = Fit(self.settings, self.folder, self.quiet, self.going_on_from)
        fit.prepare()
        check_calibration(self.settings, self.data.prepared)
        announce(self.settings, self.data, fit.trainer, self.because)
        try:
            course = learn(self.settings, self.folder, self.data, fit)
        finally:
            # Whoever interrupts a fit is told how far it came.
            self.rows = fit.history.rows
        self.rows, self.is_validated = course.rows, True
        if calibrate(self.best, self.folder.best, self.settings, course.data.prepared):
            self.best = read_checkpoint(self.folder.best)
        return self._evaluate(course)

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
        return ReviewDataModule(self.settings.data, self.settings.seed, self.loading.result(), self.settings.features)

    @cached_property
    def best(self) -> Checkpoint:
        """The best epoch's checkpoint, as whoever reloads it will find it; there once the fit is over."""
        return read_checkpoint(self.folder.best)

    def _evaluate(self, validated: Course) -> dict[str, Any]:
        """The figures of the best epoch, on validation and test; of the final fit on test, where there is one."""
        final, evaluated = validated, {"val": self._evaluated("val", validated)}
        if self.settings.refit:
            final = refit(self.settings, self.folder, validated, quiet=self.quiet)
            self.best = read_checkpoint(self.folder.best)
        evaluated["test"] = self._evaluated("test", final)
        if evaluated["test"] is not None:
            self._write_predictions(evaluated["test"])
        found = {part: evaluation for part, evaluation in evaluated.items() if evaluation is not None}
        if found and not self.quiet:
            # A sweep's jobs do without: it takes as long to draw as the history, and is for who looks at one run.
            self._draw_reliability(*list(found.items())[-1])
        figures: dict[str, Any] = {}
        for part, evaluation in found.items():
            figures |= flat_metrics(part, evaluation)
        metrics = figures | self._facts(validated, final)
        write_json(self.folder.metrics, metrics)
        return metrics

    def _evaluated(self, part: str, course: Course) -> Evaluation | None:
        """The checkpoint on a part of what it was learnt with; None where there is no such part."""
        prepared = course.data.prepared
        if part not in prepared.matrices or not len(prepared.matrices[part]):
            return None
        return evaluate_checkpoint_on(self.best, prepared.matrices[part], prepared.labels[part])

    def _facts(self, validated: Course, final: Course) -> dict[str, Any]:
        rows = validated.rows
        best = best_row(rows) or rows[-1]
        return {
            "train/loss": rows[-1]["train/loss"],
            "train/accuracy": rows[-1]["train/accuracy"],
            "best_epoch": int(best["epoch"]),
            "epochs": int(rows[-1]["epoch"]),
            "parameters": self.best.network.parameter_count,
            "temperature": self.best.temperature,
            "columns": len(final.data.prepared.vectorizer),
            "fit_seconds": round(final.seconds, 3),
            "data_source": self.data.loaded.source.description,
            "data_source_because": self.because,
            "refit": self.settings.refit,
            "group": self.settings.data.group,
            "reviews": {part: len(matrix) for part, matrix in self.data.prepared.matrices.items()},
            "seed": self.settings.seed,
            "experiment": self.settings.experiment,
        }

    def _draw_reliability(self, part: str, evaluation: Evaluation) -> None:
        labels = self.data.prepared.labels[part]
        title = f"{self.settings.experiment}: {len(labels):,} {PART_NAMES[part]} reviews"
        path = self.folder.reliability_diagram
        draw_reliability(labels, evaluation.probabilities, evaluation.uncalibrated, path, title)

    def _write_predictions(self, evaluation: Evaluation) -> None:
        test = self.data.loaded.corpus.parts["test"]
        table = pa.table(
            {
                "id": strings(test.review_names()),
                "label": to_arrow(test.labels),
                "probability": to_arrow(evaluation.probabilities),
            }
        )
        with atomic_write(self.folder.predictions) as aside:
            pq.write_table(table, aside)
