"""The closing words of a run: the metrics, the conclusion, where the files are, what to try next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from imdbclf.console import program, say, say_table, shown_path
from imdbclf.reports.history import EpochRow, conclusion

_NAMES = {
    "accuracy": "accuracy",
    "loss": "loss",
    "auroc": "area under ROC curve",
    "f1": "F1 score",
    "calibration_error": "calibration error",
}
_PARTS = {"val": "validation", "test": "test"}


def print_summary(folder: Path, metrics: dict[str, Any], rows: Sequence[EpochRow], examples: Sequence[str]) -> None:
    """Everything that a person wants to know at the end of a run.

    Args:
        folder: the run folder.
        metrics: the contents of its `metrics.json`.
        rows: its history.
        examples: lines that show what the network says of a review or two.
    """
    say_table(metrics_table(metrics, f"Best epoch {metrics['best_epoch']} of {metrics['epochs']}"))
    say(f"\n{conclusion(rows)}")
    if metrics["refit"]:
        say(
            f"The final fit: {metrics['best_epoch']} epochs on all training reviews. Checkpoint and test metrics are "
            "of this network, history and validation metrics of the one before."
        )
    if metrics["temperature"] != 1:
        say(
            f"Temperature {metrics['temperature']:.3f}, fitted on validation: the table is of the logits divided by "
            "it, the history of the logits as they are."
        )
    say(
        f"{metrics['epochs']} epochs in {metrics['fit_seconds']:.1f} s; {metrics['parameters']:,} parameters; "
        f"data: {metrics['data_source']}"
        + (f", because {because}." if (because := metrics["data_source_because"]) else ".")
    )
    best = shlex.quote(shown_path(folder / "checkpoints" / "best.ckpt"))
    say("\nThe best network says:")
    for line in examples:
        say(f"  {line}")
    say(f"\nFiles:    {shown_path(folder)}")
    for plot in (folder / "history.png", folder / "reliability.png"):
        if plot.exists():
            say(f"Plot:     {shown_path(plot)}")
    say(f'Try next: {program()} predict {best} "A film to remember, for all the wrong reasons."')


def print_interruption(folder: Path, rows: Sequence[EpochRow], max_epochs: int, again: str) -> None:
    """What an interrupted run has reached, and the command that goes on."""
    if not rows:
        say("\nInterrupted before the first epoch was finished; nothing was kept.")
        return
    say(f"\nInterrupted after epoch {len(rows)} of {max_epochs}. {conclusion(rows)}")
    say(f"Files:    {shown_path(folder)}")
    say(f"Go on:    {again}")


def print_interruption_of_final(folder: Path, rows: Sequence[EpochRow]) -> None:
    """What is left of a run whose final fit was interrupted: the network of the fit with validation."""
    say(f"\nInterrupted in the final fit. {conclusion(rows)}")
    say(f"Files:    {shown_path(folder)} (the best network of the fit with validation)")


def print_interruption_of_several() -> None:
    """What is left of an interrupted run that fits several networks: nothing, as none of them is its result."""
    say("\nInterrupted before all networks were fitted; nothing was kept. In a sweep (train -m) those fitted are.")


def metrics_table(metrics: dict[str, Any], title: str) -> Table:
    """Metrics and their 95 % intervals, a row a metric, a column a part of the reviews."""
    parts = [part for part in _PARTS if f"{part}/loss" in metrics]
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for part in parts:
        table.add_column(f"{_PARTS[part]} (95 % interval)", justify="right")
    for name, shown in _NAMES.items():
        table.add_row(shown, *(_cell(metrics, f"{part}/{name}") for part in parts))
    return table


def _cell(metrics: dict[str, Any], key: str) -> str:
    interval = metrics.get(f"{key}_interval")
    return f"{metrics[key]:.4f}" + (f" ({interval[0]:.4f} – {interval[1]:.4f})" if interval else "")
