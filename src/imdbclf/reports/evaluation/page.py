"""The page of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imdbclf.errors import visible
from imdbclf.reports.evaluation.sections import (
    Measured,
    confusion_section,
    curves_section,
    doubts_section,
    error_sections,
    metrics_section,
    slices_section,
    threshold_sentence,
    thresholds_section,
)
from imdbclf.reports.labels import percent
from imdbclf.reports.page import page

SECTIONS = (curves_section, metrics_section, confusion_section, thresholds_section, slices_section, doubts_section)
"""What is on the page, in this order; the most confident errors follow."""


def evaluation_page(measured: Measured, checkpoint: str, about: Mapping[str, Any], json: str, csv: str) -> str:
    """The page. `about` says what was evaluated; `json` and `csv` are the names of the files beside it."""
    return visible(
        page(
            "reports/evaluation/page.html.jinja",
            title=f"Evaluation: {checkpoint}",
            sentences=_sentences(measured, about),
            sections=[*(section(measured) for section in SECTIONS), *error_sections(measured)],
            json=json,
            csv=csv,
        )
    )


def _sentences(measured: Measured, about: Mapping[str, Any]) -> list[str]:
    """The conclusions, and what limits them."""
    accuracy = measured.metrics["accuracy"]
    low, high = accuracy.interval or (0.0, 1.0)
    sentences = [
        f"{percent(accuracy.value)} of {about['reviews']:,} reviews are classified correctly "
        f"(95 % interval {percent(low)} to {percent(high)}).",
        f"Reviews: {about['data_source']}, part {about['split']}.",
        threshold_sentence(measured),
    ]
    if known := about["reviews_in_training"]:
        sentences.append(
            f"{known:,} of these reviews are in the training part of the checkpoint; it knows their labels."
        )
    return sentences
