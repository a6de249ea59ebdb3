"""What a run writes at its end: `metrics.json`, `predictions.parquet` and the reliability diagram."""

from __future__ import annotations

import csv
import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imdbclf.checkpoint import Checkpoint
from imdbclf.data.arrow import strings, to_arrow
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.folders.run import RunFolder
from imdbclf.inference.evaluate import Evaluation, evaluate_checkpoint_on, flat_metrics
from imdbclf.model.calibration import EVEN
from imdbclf.reports.history import EpochRow, best_row
from imdbclf.reports.reliability import draw_reliability
from imdbclf.settings import Settings
from imdbclf.storage import atomic_write, write_json
from imdbclf.training.announcement import PART_NAMES
from imdbclf.training.fit import Fitted

log = logging.getLogger(__name__)


@dataclass
class Results:
    """The evaluations of a run.

    `data` are the reviews as they were read; `because` is the reason for their source, if the user named none.
    """

    settings: Settings
    folder: RunFolder
    data: ReviewDataModule
    because: str | None
    evaluations: dict[str, Evaluation] = field(default_factory=dict)

    def evaluate(self, part: str, checkpoint: Checkpoint, data: ReviewDataModule) -> None:
        """Evaluate the checkpoint on a part of the data that it was fitted with, if there is such a part."""
        prepared = data.prepared
        if part in prepared.matrices and len(prepared.matrices[part]):
            matrix, labels = prepared.matrices[part], prepared.labels[part]
            self.evaluations[part] = evaluate_checkpoint_on(checkpoint, matrix, labels)

    def write(self, validated: Fitted, final: Fitted, best: Checkpoint, *, with_plot: bool) -> dict[str, Any]:
        """Write the files, `metrics.json` as the last, and return its contents.

        `final` is the last fit, on all training reviews where the settings ask for that, and `best` its checkpoint.
        """
        if "test" in self.evaluations:
            self._write_predictions(self.evaluations["test"])
            if not self.evaluations["test"].metrics:
                self._write_labels(self.evaluations["test"], best.threshold)
        measured = {part: evaluation for part, evaluation in self.evaluations.items() if evaluation.metrics}
        if measured and with_plot:
            self._draw_reliability(*list(measured.items())[-1])
        metrics: dict[str, Any] = {}
        for part, evaluation in self.evaluations.items():
            metrics |= flat_metrics(part, evaluation)
        naive_bayes = self.data.prepared.naive_bayes.items()
        metrics |= {f"{part}/naive_bayes": accuracy for part, accuracy in naive_bayes if part in measured}
        metrics |= self._facts(validated.rows, final, best)
        write_json(self.folder.metrics, metrics)
        return metrics

    def _facts(self, rows: list[EpochRow], final: Fitted, checkpoint: Checkpoint) -> dict[str, Any]:
        settings, data = self.settings, self.data
        best = best_row(rows) or rows[-1]
        return {
            "train/loss": rows[-1]["train/loss"],
            "train/accuracy": rows[-1]["train/accuracy"],
            "best_epoch": int(best["epoch"]),
            "epochs": int(rows[-1]["epoch"]),
            "parameters": checkpoint.network.parameter_count,
            "temperature": checkpoint.temperature,
            **({} if checkpoint.threshold == EVEN else {"threshold": checkpoint.threshold}),
            "columns": len(final.data.prepared.vectorizer),
            "fit_seconds": round(final.seconds, 3),
            "data_source": data.loaded.source.description,
            "data_source_because": self.because,
            "label_names": list(data.loaded.label_names),
            "refit": settings.refit,
            "group": settings.data.group,
            "reviews": {part: len(matrix) for part, matrix in data.prepared.matrices.items()},
            "seed": settings.seed,
            "experiment": settings.experiment,
        }

    def _draw_reliability(self, part: str, evaluation: Evaluation) -> None:
        labels, path = self.data.prepared.labels[part], self.folder.reliability_diagram
        title = f"{self.settings.experiment}: {len(labels):,} {PART_NAMES[part]} reviews"
        draw_reliability(labels, evaluation.probabilities, evaluation.uncalibrated, path, title)

    def _write_predictions(self, evaluation: Evaluation) -> None:
        test = self.data.loaded.corpus.parts["test"]
        names, found = strings(test.review_names()), to_arrow(evaluation.probabilities)
        table = pa.table({"id": names, "row": test.table["row"], "label": test.table["label"], "probability": found})
        with atomic_write(self.folder.predictions) as aside:
            pq.write_table(table, aside)

    def _write_labels(self, evaluation: Evaluation, threshold: float) -> None:
        """Write the predicted labels of test reviews without labels, in the order of the source."""
        loaded = self.data.loaded
        found = evaluation.probabilities[np.argsort(loaded.corpus.parts["test"].rows)]
        names = [loaded.label_names[int(probability > threshold)] for probability in found]
        with atomic_write(self.folder.predicted_labels) as aside, aside.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["row", "label", "probability"])
            writer.writerows(zip(range(1, len(found) + 1), names, found.tolist(), strict=True))
        name = self.folder.predicted_labels.name
        log.info(
            "The test part has no labels, so there are no test metrics; %s has its predictions in its order.", name
        )
