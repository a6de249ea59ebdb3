"""The course of training: a row for each epoch, a sentence about overfitting, and the lecture's plot."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.ticker import MaxNLocator

from imdbclf.reports.figure import GREY, TRAINING, VALIDATION, new_figure, save, styled
from imdbclf.storage import atomic_write

COLUMNS = ("epoch", "train/loss", "train/accuracy", "val/loss", "val/accuracy", "seconds")

_DRAWN = (("loss", 1, "Loss"), ("accuracy", 100, "Accuracy (%)"))

_ALWAYS = {"epoch", "train/loss", "train/accuracy", "seconds"}

EpochRow = dict[str, float]
"""Values by the names in `COLUMNS`; `epoch` counts from 1. Without validation there are no `val/` values."""


def write_history(rows: Iterable[Mapping[str, Any]], path: Path, columns: Sequence[str] = COLUMNS) -> None:
    """Write rows of epochs as CSV, with the same columns for every run; a missing value is left empty."""
    with atomic_write(path) as aside, aside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows({**row, "epoch": int(row["epoch"])} for row in rows)


def read_history(path: Path) -> list[EpochRow]:
    """The rows that `write_history` wrote.

    Raises:
        OSError: if there is no such file.
        ValueError: if it was damaged.
    """
    msg = f"{path}: is not the history of a run"
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = [{name: float(text) for name, text in row.items() if text} for row in csv.DictReader(stream)]
    except (csv.Error, TypeError) as error:
        raise ValueError(msg) from error
    if not all(row.keys() >= _ALWAYS for row in rows):
        raise ValueError(msg)
    return rows


def best_row(rows: Sequence[EpochRow]) -> EpochRow | None:
    """The row with the lowest validation loss, the first of equal ones; None without validation."""
    validated = [row for row in rows if "val/loss" in row]
    return min(validated, key=lambda row: row["val/loss"]) if validated else None


def conclusion(rows: Sequence[EpochRow]) -> str:
    """A sentence that says whether the network was overfitting."""
    last, best = rows[-1], best_row(rows)
    if best is None:
        return (
            "There is no validation part, so overfitting cannot be seen. "
            f"Training loss was {last['train/loss']:.4f} after epoch {last['epoch']:.0f}."
        )
    lowest = f"Validation loss was lowest ({best['val/loss']:.4f}) after epoch {best['epoch']:.0f}"
    if best is last or "val/loss" not in last:
        return f"{lowest}, the last epoch with validation: no overfitting yet; more epochs may help."
    return (
        f"{lowest}. From there to epoch {last['epoch']:.0f}, training loss fell from {best['train/loss']:.4f} to "
        f"{last['train/loss']:.4f}, while validation loss rose from {best['val/loss']:.4f} to {last['val/loss']:.4f}: "
        "the network was overfitting."
    )


@styled
def draw_history(rows: Sequence[EpochRow], path: Path, title: str) -> None:
    """Draw loss and accuracy by epoch (PNG), training and validation, as in the lecture; the best epoch is marked."""
    # Fixed margins: an automatic layout would take as long as the drawing, for every run of a sweep.
    figure, panels = new_figure(7, 3.2, 1, 2, layout=None)
    figure.subplots_adjust(left=0.1, right=0.985, top=0.81, bottom=0.15, wspace=0.24)
    validated, best = [row for row in rows if "val/loss" in row], best_row(rows)
    for axes, (metric, scale, label) in zip(panels.flat, _DRAWN, strict=True):
        for part, shown, form, colour in (("train", rows, "o", TRAINING), ("val", validated, "-", VALIDATION)):
            if shown:
                epochs, values = zip(*((row["epoch"], scale * row[f"{part}/{metric}"]) for row in shown), strict=True)
                axes.plot(epochs, values, form, color=colour, label="Training" if part == "train" else "Validation")
        if best is not None:
            axes.axvline(best["epoch"], color=GREY, linestyle=":", label=f"Best epoch ({best['epoch']:.0f})")
        axes.set(xlabel="Epoch", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle(title if validated else f"{title}: no validation part", y=0.98)
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="upper center", bbox_to_anchor=(0.5, 0.92), ncols=3)
    save(figure, path)
