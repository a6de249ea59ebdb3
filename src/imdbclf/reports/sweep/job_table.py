"""The jobs of a sweep as a table: collected from the run folders, written to `sweep.csv`, and read from it.

The whole report is computed from these rows and the epochs, so the two CSV files are enough to check it.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
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
    metrics = {name: read_json(folder.run(job).metrics) or {} for name, job in jobs.items()}
    rows = [_row(folder.run(job), job, sweep, metrics[name], epochs[name]) for name, job in jobs.items()]
    sources = dict.fromkeys(str(found["data_source"]) for found in metrics.values() if "data_source" in found)
    return CollectedRuns(rows, epochs, list(sources))


def damaged_file(run: RunFolder) -> Path | None:
    """The file of a finished run that cannot be reported; None if all can. A history that was removed is not missed."""
    file = run.metrics
    with suppress(OSError, TypeError, ValueError, OverflowError, IndexError):
        if measured := _measured(read_json(file) or {}):
            file = run.history
            epochs = read_history(file)[-1]["epoch"] if file.exists() else None
            if epochs is None or epochs == measured.get("epochs", epochs):
                return None
    return file


FOLDED = " fold "
"""Between the seed and the fold of a repetition."""


def _measured(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {name: kind(metrics[name]) for name, kind in _NUMBERS.items() if metrics.get(name) is not None}


def _row(run: RunFolder, job: SweepJob, sweep: Sweep, metrics: Mapping[str, Any], epochs: Sequence[EpochRow]) -> JobRow:
    typed = {axis: as_typed(value) for axis, value in job.choices.items()}
    choices = {axis: typed.get(axis, "") for axis in sweep.compared}
    row = JobRow(job.folder, run.outcome, choices, typed.get(SEED, ""), {})
    if row.status == "unfinished":
        return row
    if row.status == "failed":
        return replace(row, error=one_line(run.error()))
    if damaged := damaged_file(run):
        return replace(row, status="failed", error=f"{damaged.name} cannot be read")
    found = _measured(metrics)
    if epochs:
        # A resumed run measured only its last part; its history has the seconds of all epochs.
        found["fit_seconds"] = round(sum(epoch["seconds"] for epoch in epochs), 4)
    fold = f"{FOLDED}{typed[FOLD]}" if FOLD in typed else ""
    return replace(row, seed=(row.seed or str(metrics.get(SEED, ""))) + fold, metrics=found)


def _epochs(run: RunFolder) -> list[EpochRow]:
    try:
        return read_history(run.history)
    except (OSError, ValueError):
        return []


_FORMULA = re.compile("'*[=+@\t\r-]")
_APOSTROPHE = re.compile(f"^'(?={_FORMULA.pattern})")
"""What `_inert` adds."""


def _inert(cell: str) -> str:
    """The cell so that a spreadsheet shows it as a text; numbers stay."""
    try:
        float(cell)
    except ValueError:
        return f"'{cell}" if _FORMULA.match(cell) else cell
    return cell


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
    rows = []
    with path.open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            cells = {name: _APOSTROPHE.sub("", cell) for name, cell in line.items()}
            metrics = {name: kind(number) for name, kind in _NUMBERS.items() if (number := cells.pop(name))}
            folder, status, seed, error = (cells.pop(name) for name in ("folder", "status", SEED, "error"))
            rows.append(JobRow(folder, cast("Outcome", status), cells, seed, metrics, error))
    return rows


def write_epochs(rows: Iterable[JobRow], epochs: Mapping[str, Sequence[EpochRow]], path: Path) -> None:
    """Write the history of all jobs as one CSV."""
    tidy = [{"folder": row.folder, **epoch} for row in rows for epoch in epochs[row.folder]]
    write_history(tidy, path, ("folder", *COLUMNS))
