"""The jobs of a sweep as a table: collected from the run folders, written to `sweep.csv`, and read from it.

The whole report is computed from these rows and the epochs, so the two CSV files are enough to check it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imdbclf.errors import one_line
from imdbclf.folders.run import Outcome, RunFolder
from imdbclf.folders.sweep import SEED, Choice, Sweep, SweepFolder, SweepJob
from imdbclf.reports.history import COLUMNS as HISTORY_COLUMNS
from imdbclf.reports.history import EpochRow, read_history, write_rows
from imdbclf.storage import atomic_write

_BEFORE = ("folder", "status")
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
_TEST = ("test/loss", "test/accuracy")
_AFTER = (*_NUMBERS, "error")


@dataclass(frozen=True)
class JobRow:
    """One job.

    Attributes:
        folder: the name of its folder.
        status: `done`, `failed` or `unfinished`.
        choices: its value on every axis but the seed, as text.
        seed: as text; empty if it is not known.
        metrics: those that are known of `val/loss`, `val/accuracy`, `best_epoch`, `epochs`, `parameters`,
            `fit_seconds`, `test/loss` and `test/accuracy`.
        error: why it failed.
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
        return replace(self, metrics={name: self.metrics[name] for name in self.metrics if name not in _TEST})


def as_typed(value: Choice) -> str:
    """A value as it is typed on the command line: `true`, `null`, `[32,16]`, `0.001`, `relu`."""
    return one_line(value) if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


@dataclass(frozen=True)
class CollectedRuns:
    """The contents of the run folders.

    Attributes:
        rows: the jobs in order, with test metrics.
        epochs: the history of each job, by its folder.
        data_sources: where the reviews of the finished runs came from.
    """

    rows: Sequence[JobRow]
    epochs: Mapping[str, Sequence[EpochRow]]
    data_sources: Sequence[str]


def collect(folder: SweepFolder, sweep: Sweep) -> CollectedRuns:
    """Read the runs of a sweep, which may be in any state. Jobs with the same folder are one run and one row."""
    jobs = {job.folder: job for job in sweep.jobs}
    epochs = {name: _epochs(folder.run(job)) for name, job in jobs.items()}
    metrics = {name: _read(folder.run(job).metrics) for name, job in jobs.items()}
    rows = [_row(folder.run(job), job, sweep, metrics[name], epochs[name]) for name, job in jobs.items()]
    sources = dict.fromkeys(str(found["data_source"]) for found in metrics.values() if found and "data_source" in found)
    return CollectedRuns(rows, epochs, list(sources))


def _row(
    run: RunFolder, job: SweepJob, sweep: Sweep, metrics: dict[str, Any] | None, epochs: Sequence[EpochRow]
) -> JobRow:
    choices = {axis: as_typed(job.choices[axis]) if axis in job.choices else "" for axis in sweep.compared}
    seed = as_typed(job.choices[SEED]) if SEED in job.choices else ""
    if run.outcome != "done":
        return JobRow(job.folder, run.outcome, choices, seed, {}, _reason(run))
    if metrics is None:
        return JobRow(job.folder, "failed", choices, seed, {}, f"{run.metrics.name} cannot be read")
    found = {name: kind(metrics[name]) for name, kind in _NUMBERS.items() if metrics.get(name) is not None}
    if epochs:
        # A resumed run measured only its last part; its history has the seconds of all epochs.
        found["fit_seconds"] = round(sum(row["seconds"] for row in epochs), 4)
    return JobRow(job.folder, "done", choices, seed or str(metrics.get(SEED, "")), found)


def _reason(run: RunFolder) -> str:
    """Why the run failed, in one line."""
    if run.outcome == "unfinished":
        return ""
    return one_line((_read(run.failure) or {}).get("error", "no reason was recorded"))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return contents if isinstance(contents, dict) else None


def _epochs(run: RunFolder) -> list[EpochRow]:
    try:
        return read_history(run.history)
    except (OSError, ValueError):
        return []


def write_table(rows: Sequence[JobRow], axes: Sequence[str], path: Path) -> None:
    """Write the rows as CSV; the column `seed` comes last if it is not one of the axes."""
    axes = [*axes, *([] if SEED in axes else [SEED])]
    with atomic_write(path) as aside, aside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*_BEFORE, *axes, *_AFTER], restval="")
        writer.writeheader()
        for row in rows:
            about = {"folder": row.folder, "status": row.status, "error": row.error, SEED: row.seed}
            writer.writerow({**row.choices, **row.metrics, **about})


def read_table(path: Path) -> list[JobRow]:
    """The rows that `write_table` wrote."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [_parsed(row) for row in csv.DictReader(stream)]


def _parsed(row: dict[str, Any]) -> JobRow:
    status: Outcome = row["status"]
    known = {*_BEFORE, *_AFTER, SEED}
    return JobRow(
        row["folder"],
        status,
        {name: value for name, value in row.items() if name not in known},
        row[SEED],
        {name: kind(row[name]) for name, kind in _NUMBERS.items() if row[name]},
        row["error"],
    )


def write_epochs(rows: Iterable[JobRow], epochs: Mapping[str, Sequence[EpochRow]], path: Path) -> None:
    """Write the history of all jobs as one CSV."""
    tidy = [{"folder": row.folder, **epoch} for row in rows for epoch in epochs[row.folder]]
    write_rows(tidy, ("folder", *HISTORY_COLUMNS), path)
