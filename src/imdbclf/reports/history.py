"""The course of training: a row for each epoch, a sentence about overfitting, and the lecture's plot."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from imdbclf.storage import atomic_write

COLUMNS = ("epoch", "train/loss", "train/accuracy", "val/loss", "val/accuracy", "seconds")

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


@mpl.rc_context({"text.parse_math": False})
def draw_history(rows: Sequence[EpochRow], path: Path, title: str) -> None:
    """Draw loss and accuracy by epoch (PNG), training and validation, as in the lecture; the best epoch is marked."""
    figure = Figure(figsize=(10, 4))
    panels = figure.subplots(1, 2)
    # Fixed margins: an automatic layout would take as long as the drawing, for every run of a sweep.
    figure.subplots_adjust(left=0.07, right=0.985, top=0.84, bottom=0.13, wspace=0.18)
    for axes, metric in zip(panels, ("loss", "accuracy"), strict=True):
        _draw_metric(axes, rows, metric)
    figure.suptitle(title, fontsize=11)
    with atomic_write(path) as aside:
        figure.savefig(aside, dpi=120, format="png")


def _draw_metric(axes: Axes, rows: Sequence[EpochRow], metric: str) -> None:
    epochs = [row["epoch"] for row in rows]
    axes.plot(epochs, [row[f"train/{metric}"] for row in rows], "o", color="tab:blue", label=f"Training {metric}")
    validated = [row for row in rows if f"val/{metric}" in row]
    if validated:
        values = [row[f"val/{metric}"] for row in validated]
        axes.plot([row["epoch"] for row in validated], values, "-", color="tab:orange", label=f"Validation {metric}")
    best = best_row(rows)
    if best is not None:
        axes.axvline(best["epoch"], color="tab:gray", linestyle=":", label=f"Best epoch ({best['epoch']:.0f})")
    shown = "Training and validation" if validated else "Training"
    axes.set(xlabel="Epoch", ylabel=metric.capitalize(), title=f"{shown} {metric}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
