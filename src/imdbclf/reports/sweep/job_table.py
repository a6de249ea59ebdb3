"""The jobs of a sweep as a table: collected from the run folders, written to `sweep.csv`, and read from it.

The whole report is computed from these rows and the epochs, so the two CSV files are enough to check it.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from imdbclf.errors import one_line
from imdbclf.folders.run import Outcome, RunFolder
from imdbclf.folders.sweep import FOLD, SEED, Choice, Sweep, SweepFolder, SweepJob
from imdbclf.reports.history import COLUMNS, EpochRow, read_history, write_history
from imdbclf.storage import atomic_write, read_json

_NUMBERS = {
    "val/loss": float,
    "val/accuracy": float,
    "best_epoch": int,
    "epochs": int,
    "parameters": int,
    "fit_seconds": float,
    "test/loss": float,
    "test/accuracy": float,
}


@dataclass(frozen=True)
class JobRow:
    """One job: its folder's name, its values as text on all axes but the seed, and its metrics or why it failed.

    The seed is empty if it is not known; in a cross-validation the fold is part of it. The metrics are those that are
    known of the columns in `sweep.csv`.
    """

    folder: str
    status: Outcome
    choices: Mapping[str, str]
    seed: str
    metrics: Mapping[str, float]
    error: str = ""

    @property
    def accuracy(self) -> float | None:
        """Validation accuracy; None if the run is not done or has no validation part."""
        return self.metrics.get("val/accuracy") if self.status == "done" else None

    def without_test_metrics(self) -> JobRow:
        """The same row without test metrics."""
        return replace(self, metrics={key: self.metrics[key] for key in self.metrics if not key.startswith("test/")})


def as_typed(value: Choice) -> str:
    """A value as it is typed on the command line: `true`, `null`, `[32,16]`, `0.001`, `relu`."""
    return one_line(value) if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


@dataclass(frozen=True)
class CollectedRuns:
    """The jobs in order with test metrics, the history of each by its folder, and where their reviews came from."""

    rows: Sequence[JobRow]
    epochs: Mapping[str, Sequence[EpochRow]]
    data_sources: Sequence[str]


def collect(folder: SweepFolder, sweep: Sweep) -> CollectedRuns:
    """Read the runs of a sweep, which may be in any state. Jobs with the same folder are one run and one row."""
    jobs = {job.folder: job for job in sweep.jobs}
    epochs = {name: _epochs(folder.run(job)) for name, job in jobs.items()}
    metrics = {name: read_json(folder.run(job).metrics) for name, job in jobs.items()}
    rows = [_row(folder.run(job), job, sweep, metrics[name], epochs[name]) for name, job in jobs.items()]
    sources = dict.fromkeys(str(found["data_source"]) for found in metrics.values() if found and "data_source" in found)
    return CollectedRuns(rows, epochs, list(sources))


def damaged_file(run: RunFolder) -> Path | None:
    """The file of a finished run that cannot be reported; None if all can. A history that was removed is not missed."""
    try:
        measured = _measured(read_json(run.metrics) or {})
    except (TypeError, ValueError, OverflowError):
        measured = {}
    if not measured:
        return run.metrics
    try:
        epochs = read_history(run.history)[-1]["epoch"] if run.history.exists() else None
    except (OSError, ValueError, IndexError):
        return run.history
    return run.history if epochs and epochs != measured.get("epochs", epochs) else None


FOLDED = " fold "
"""Between the seed and the fold of a repetition."""


def _measured(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {name: kind(metrics[name]) for name, kind in _NUMBERS.items() if metrics.get(name) is not None}


def _row(
    run: RunFolder, job: SweepJob, sweep: Sweep, metrics: dict[str, Any] | None, epochs: Sequence[EpochRow]
) -> JobRow:
    choices = {axis: as_typed(job.choices[axis]) if axis in job.choices else "" for axis in sweep.compared}
    seed = as_typed(job.choices[SEED]) if SEED in job.choices else ""
    fold = f"{FOLDED}{as_typed(job.choices[FOLD])}" if FOLD in job.choices else ""
    if run.outcome == "unfinished":
        return JobRow(job.folder, "unfinished", choices, seed, {})
    if run.outcome == "failed":
        return JobRow(job.folder, "failed", choices, seed, {}, one_line(run.error()))
    damaged = damaged_file(run)
    if damaged or not metrics:
        return JobRow(job.folder, "failed", choices, seed, {}, f"{(damaged or run.metrics).name} cannot be read")
    found = _measured(metrics)
    if epochs:
        # A resumed run measured only its last part; its history has the seconds of all epochs.
        found["fit_seconds"] = round(sum(row["seconds"] for row in epochs), 4)
    return JobRow(job.folder, "done", choices, (seed or str(metrics.get(SEED, ""))) + fold, found)


def _epochs(run: RunFolder) -> list[EpochRow]:
    try:
        return read_history(run.history)
    except (OSError, ValueError):
        return []


_FORMULA = re.compile("'*[=+@\t\r-]")


def _inert(cell: str) -> str:
    """The cell so that a spreadsheet shows it as a text; numbers stay."""
    try:
        float(cell)
    except ValueError:
        return f"'{cell}" if _FORMULA.match(cell) else cell
    return cell


def _original(cell: str) -> str:
    """The inverse of `_inert`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def write_table(rows: Sequence[JobRow], axes: Sequence[str], path: Path) -> None:
    """Write the rows as CSV; the column `seed` comes last if it is not one of the axes.

    A text that a spreadsheet would compute, such as `=1+1`, gets an apostrophe in front.
    """
    axes = [*(axis for axis in axes if axis != FOLD), *([] if SEED in axes else [SEED])]
    with atomic_write(path) as aside, aside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["folder", "status", *axes, *_NUMBERS, "error"], restval="")
        writer.writeheader()
        for row in rows:
            about = {"folder": row.folder, "status": row.status, "error": row.error, SEED: row.seed}
            texts = {name: _inert(cell) for name, cell in {**row.choices, **about}.items()}
            writer.writerow({**texts, **row.metrics})


def read_table(path: Path) -> list[JobRow]:
    """The rows that `write_table` wrote."""
    known = {"folder", "status", "error", SEED, *_NUMBERS}
    with path.open(encoding="utf-8", newline="") as stream:
        return [
            JobRow(
                row["folder"],
                cast("Outcome", row["status"]),
                {name: value for name, value in row.items() if name not in known},
                row[SEED],
                {name: kind(row[name]) for name, kind in _NUMBERS.items() if row[name]},
                row["error"],
            )
            for line in csv.DictReader(stream)
            for row in [{name: _original(cell) for name, cell in line.items()}]
        ]


def write_epochs(rows: Iterable[JobRow], epochs: Mapping[str, Sequence[EpochRow]], path: Path) -> None:
    """Write the history of all jobs as one CSV."""
    tidy = [{"folder": row.folder, **epoch} for row in rows for epoch in epochs[row.folder]]
    write_history(tidy, path, ("folder", *COLUMNS))
