"""The report of an evaluation: a page, its numbers as JSON, and a row for each review as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imdbclf.data.originals import Tables, values_of
from imdbclf.data.sources.base import Source
from imdbclf.data.sources.files import FilesSource
from imdbclf.data.sources.folder import FolderSource
from imdbclf.data.sources.hub import HubSource
from imdbclf.errors import UserError, visible
from imdbclf.inference.evaluate import EvaluatedPart, evaluate_validation
from imdbclf.inference.explain import Explainer
from imdbclf.reports.evaluation.page import Measured, as_json, evaluation_page
from imdbclf.reports.evaluation.slices import columns_of, doubts_of
from imdbclf.reports.evaluation.thresholds import counts_of, with_intervals
from imdbclf.reports.explanation import Explanation
from imdbclf.storage import json_text, write_text

ERRORS = 10
"""Errors that are shown and explained."""


def write_evaluation_report(
    part: EvaluatedPart, target: Path, false_negative: float = 1.0, by: str | None = None
) -> None:
    """Write the page, and `.json` and `.csv` of the same name, each completely or not at all.

    A false negative costs `false_negative` false positives. The threshold is chosen on the validation reviews of the
    run; on these reviews its cost is only reported. The accuracy is shown `by` a column of the source, too.

    Raises:
        UserError: if the source has no such column of texts.
    """
    labels, probabilities, names = part.reviews.labels, part.evaluation.probabilities, part.reviews.review_names()
    validation, chosen, threshold = evaluate_validation(part), None, part.checkpoint.threshold
    if validation is not None:
        counts, _ = counts_of(validation.reviews.labels, validation.evaluation.probabilities)
        chosen = counts.cheapest(false_negative)
    columns = columns_of(part.loaded.corpus, part.reviews, part.checkpoint.vectorizer.vocabulary)
    parts = part.loaded.source.read().parts
    if by is not None:
        found = values_of(parts, _read_column(part.loaded.source, by), part.reviews.ids)
        columns[f"column {by}"] = np.array([found[one] for one in part.reviews.ids.tolist()], dtype=np.str_)
    measured = Measured(
        labels,
        probabilities,
        part.checkpoint.label_names,
        with_intervals(part.evaluation.metrics, labels, probabilities, threshold),
        threshold,
        false_negative,
        chosen,
        columns,
        doubts_of(part.reviews, probabilities),
        about={"checkpoint": str(part.path)} | {key: value for key, value in part.result.items() if "/" not in key},
    )
    measured = replace(measured, errors=_errors(part, parts, measured, names))
    numbers, rows = target.with_suffix(".json"), target.with_suffix(".csv")
    write_text(rows, _table(names, measured))
    write_text(numbers, visible(json_text(as_json(measured)) + "\n"))
    write_text(target, evaluation_page(measured, numbers.name, rows.name))


def _errors(
    part: EvaluatedPart, parts: Tables, measured: Measured, names: Sequence[str]
) -> list[tuple[int, str, Explanation]]:
    """The errors with the highest confidence, those first."""
    rows = np.flatnonzero(~measured.right)
    rows = rows[np.argsort(-abs(measured.probabilities[rows] - measured.threshold), kind="stable")][:ERRORS]
    texts, ids = values_of(parts, parts, part.reviews.ids[rows]), part.reviews.ids.tolist()
    explain = Explainer(part.checkpoint).explain
    return [(row, names[row], explain(texts[ids[row]])) for row in rows.tolist() if ids[row] in texts]


def _table(names: Sequence[str], measured: Measured) -> str:
    """A row for each review: its name as in `predictions.parquet`, label, probability, and its groups."""
    columns: dict[str, Iterable[Any]] = {
        "review": names,
        "label": measured.labels,
        "probability": measured.probabilities.tolist(),
        "right": measured.right.astype(int),
        **{name: values.tolist() for name, values in measured.columns.items()},
        **{name: mask.astype(int) for name, mask in measured.doubts.items()},
    }
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows([tuple(columns), *zip(*columns.values(), strict=True)])
    return visible(lines.getvalue())


def _read_column(source: Source, column: str) -> Tables:
    """The parts of a source, with another column as the text.

    Raises:
        UserError: if the source has no such column of texts.
    """
    if not isinstance(source, FilesSource | FolderSource | HubSource):
        raise UserError(f"--by {column}: {source.description} has no other columns")
    return replace(source, settings=source.settings.model_copy(update={"text_column": column})).read().parts
