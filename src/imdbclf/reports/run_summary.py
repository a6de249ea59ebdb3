"""The last lines of a run on the console: metrics, conclusion, files, and what to try next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import Any

from rich.table import Table

from imdbclf.console import command_line, console, program, say, say_table, shown_path, tell, text_table
from imdbclf.data.split import UNBALANCED
from imdbclf.folders.run import RunFolder
from imdbclf.reports.history import EpochRow, best_row, conclusion

METRIC_NAMES = {
    "accuracy": "accuracy",
    "naive_bayes": "accuracy of naive Bayes",
    "larger_class": "accuracy of “always the larger class”",
    "balanced_accuracy": "balanced accuracy",
    "loss": "loss",
    "auroc": "area under ROC curve",
    "f1": "F1 score",
    "calibration_error": "calibration error",
}
KNOWN = 0.01
"""The fraction of evaluated reviews that may be in the training part without a remark; IMDB's two parts share .5 %."""

_PARTS = {"val": "validation", "test": "test"}

BEGINNING = 45
"""Characters of a text in a table."""

FEW_STEPS = 4
"""With no more steps in an epoch, smaller batches can help."""


def print_summary(
    folder: Path,
    metrics: dict[str, Any],
    rows: Sequence[EpochRow],
    examples: Sequence[str],
    to_try: str,
    batch_size: int,
) -> None:
    """Print what a user needs at the end of a run.

    `examples` are lines with the predictions for a review or two, `to_try` is a review that the user can classify next.
    """
    epochs = f"{metrics['best_epoch']} of {metrics['epochs']}"
    # Without validation the last epoch is taken, whether it is the best or not.
    say_table(metrics_table(metrics, f"Best epoch {epochs}" if best_row(rows) else f"Epoch {epochs}"))
    say(f"\n{conclusion(rows)}")
    for note in _notes(metrics, batch_size):
        say(note)
    because = f", because {metrics['data_source_because']}" if metrics["data_source_because"] else ""
    say(
        f"{metrics['epochs']} epochs in {metrics['fit_seconds']:.1f} s; {metrics['parameters']:,} parameters. "
        f"Reviews: {metrics['data_source']}{because}; positive class: {metrics['label_names'][1]}."
    )
    # Without validation none was chosen, and a final fit is of another network than the best one.
    say(f"\nPredictions of the {'best ' if best_row(rows) and not metrics['refit'] else ''}network:")
    for line in examples:
        say(f"  {line}")
    say(f"\nFiles:    {shown_path(folder)}")
    run = RunFolder(folder)
    for plot in (run.history_plot, run.reliability_diagram):
        if plot.exists():
            say(f"Plot:     {shown_path(plot)}")
    best = command_line([program(), "predict", shown_path(run.best)])
    say(f'Try next: {best} "{to_try}"')


def _notes(metrics: dict[str, Any], batch_size: int) -> Iterator[str]:
    """What is said only of some runs."""
    steps = ceil(metrics["reviews"]["train"] / batch_size)
    if steps <= FEW_STEPS and metrics["best_epoch"] == metrics["epochs"]:
        yield f"Steps in an epoch: {steps}. A smaller data.batch_size (now {batch_size}) makes more, and may help."
    if metrics["refit"]:
        yield (
            f"Final fit: {metrics['best_epoch']} epochs on all training reviews. Checkpoint and test metrics are of "
            "this network; history and validation metrics are of the network trained before it."
        )
    if metrics["temperature"] != 1:
        yield (
            f"Temperature {metrics['temperature']:.3f}, fitted on validation: the metrics above use logits divided by "
            "it, the history does not."
        )


def print_interruption(folder: Path, where: str, rows: Sequence[EpochRow], again: str | None) -> None:
    """Where a run was interrupted, what it has learned so far, and how to go on; None if nothing is kept."""
    if again is None:
        say(f"\nInterrupted {where}; nothing was kept.")
        return
    say(f"\nInterrupted {where}." + (f" {conclusion(rows)}" if rows else ""))
    say(f"Files:    {shown_path(folder)}")
    say(f"Go on:    {again}")


def print_evaluation(result: dict[str, Any]) -> None:
    """Print what `imdbclf evaluate` measured, and what limits it."""
    count, part = result["reviews"], result["split"]
    console().print(metrics_table(result, f"{count:,} reviews: {result['data_source']}, part {part}"))
    if f"{part}/auroc" not in result:
        tell("All reviews have the same label; metrics that need two classes are left out.")
    if (known := result["reviews_in_training"] or 0) > KNOWN * count:
        tell(f"{known:,} of these {count:,} reviews are in the training part of the checkpoint; it knows their labels.")


def print_first(reviews: Sequence[dict[str, Any]], positive: str, about: str) -> None:
    """Print reviews with their true and predicted labels; `about` says where they are from."""
    rows = [
        [one["text"][:BEGINNING], f"{one['row']:,}", f"{one['probability']:.3f}", one["label"], one["truth"]]
        for one in reviews
    ]
    heads = ["text", "row", f"probability of {positive}", "predicted", "truth"]
    console().print(text_table(heads, rows, title=about))


def metrics_table(metrics: dict[str, Any], title: str) -> Table:
    """Metrics with their 95 % intervals: a row for each metric, a column for each part."""
    parts = [key.removesuffix("/calibration_error") for key in metrics if key.endswith("/calibration_error")]
    heads = ["", *(f"{_PARTS.get(part, part)} (95 % interval)" for part in parts)]
    unbalanced = any(metrics.get(f"{part}/larger_class", 0) > UNBALANCED for part in parts)
    rows = (
        [shown, *(_cell(metrics, f"{part}/{name}") for part in parts)]
        for name, shown in METRIC_NAMES.items()
        if (unbalanced or name != "balanced_accuracy") and any(f"{part}/{name}" in metrics for part in parts)
    )
    return text_table(heads, rows, title=title)


def _cell(metrics: dict[str, Any], key: str) -> str:
    interval = metrics.get(f"{key}_interval")
    if key not in metrics:
        return "one class"
    return f"{metrics[key]:.4f}" + (f" ({interval[0]:.4f} – {interval[1]:.4f})" if interval else "")
