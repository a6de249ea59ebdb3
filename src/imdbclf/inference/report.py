"""The report of an evaluation: a page, its numbers as JSON, and a row for each review as CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from imdbclf.errors import visible
from imdbclf.inference.evaluate import EvaluatedPart, evaluate_validation
from imdbclf.reports.evaluation.thresholds import HALF, counts_of, with_intervals
from imdbclf.storage import json_text, write_text


def write_evaluation_report(part: EvaluatedPart, target: Path, false_negative: float = 1.0) -> None:
    """Write the page, and `.json` and `.csv` of the same name, each completely or not at all.

    A false negative costs `false_negative` false positives. The threshold is chosen on the validation reviews of the
    run; on these reviews its cost is only reported.
    """
    from imdbclf.reports.evaluation.page import evaluation_page  # noqa: PLC0415 - Matplotlib is slow to import
    from imdbclf.reports.evaluation.sections import Measured, as_json  # noqa: PLC0415

    labels, probabilities = part.reviews.labels, part.evaluation.probabilities
    validation = evaluate_validation(part.path)
    threshold = None
    if validation is not None:
        counts, _ = counts_of(validation.reviews.labels, validation.evaluation.probabilities)
        threshold = counts.cheapest(false_negative)
    metrics = with_intervals(part.evaluation.metrics, labels, probabilities)
    names = part.checkpoint.label_names
    measured = Measured(labels, probabilities, names, metrics, false_negative, threshold)
    numbers, rows = target.with_suffix(".json"), target.with_suffix(".csv")
    about = {key: part.result[key] for key in ("data_source", "split", "reviews", "reviews_in_training")}
    write_text(rows, _table(part))
    write_text(numbers, json_text({"checkpoint": str(part.path)} | about | as_json(measured)) + "\n")
    write_text(target, evaluation_page(measured, part.path.name, about, numbers.name, rows.name))


def _table(part: EvaluatedPart) -> str:
    """A row for each review: its name as in `predictions.parquet`, label, probability, and 1 if it is right."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["review", "label", "probability", "right"])
    writer.writerows(
        zip(
            part.reviews.review_names(),
            part.reviews.labels.tolist(),
            part.evaluation.probabilities.tolist(),
            ((part.evaluation.probabilities > HALF) == part.reviews.labels).astype(int).tolist(),
            strict=True,
        )
    )
    return visible(lines.getvalue())
