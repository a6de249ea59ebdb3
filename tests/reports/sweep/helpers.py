"""Sweep folders that hold what a test says, without a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Literal

from imdbclf.folders.run import RunFolder
from imdbclf.folders.sweep import Choice, Sweep, SweepFolder, SweepJob
from imdbclf.reports.history import write_history
from imdbclf.reports.sweep.job_table import JobRow, as_typed

Chosen = dict[str, Any]
State = float | Literal["failed", "unfinished"]
"""The validation accuracy of a run that is done, or why it is not."""

LECTURE: dict[str, list[Choice]] = {"model.layers": [1, 2], "loss": ["bce", "mse"], "seed": [0, 1, 2]}


def lecture_accuracy(chosen: Chosen) -> float:
    """One layer is half a point better than two, bce hardly better than mse; seeds differ by points."""
    wobble: float = {0: 0.0011, 1: -0.0007, 2: 0.0004}[chosen["seed"]]
    accuracy = 0.88 + 0.01 * chosen["seed"] - 0.005 * (chosen["model.layers"] == 2)
    accuracy += wobble * (chosen["loss"] == "mse") - 0.2 * wobble * (chosen["model.layers"] == 2)
    return float(round(accuracy, 4))


def mostly(chosen: Chosen) -> State:
    """As in the lecture, but a seed of one configuration failed."""
    return "failed" if chosen == {"model.layers": 2, "loss": "mse", "seed": 1} else lecture_accuracy(chosen)


def write_run(
    path: Path, state: State, seed: int, loss: float = 0.3, seconds: Sequence[float] = (0.1, 0.2, 0.3), **metrics: Any
) -> RunFolder:
    """A run folder as training, or whatever kept it from ending, leaves it."""
    run = RunFolder(path)
    path.mkdir(parents=True)
    run.config.write_text(f"seed: {seed}\n", encoding="utf-8")
    if state == "failed":
        run.failure.write_text(json.dumps({"error": "out of\nmemory", "overrides": ["seed=1"]}), encoding="utf-8")
    if not isinstance(state, float):
        return run
    rows = [
        {
            "epoch": float(epoch),
            "train/loss": 0.5 / epoch,
            "train/accuracy": 0.8 + 0.02 * epoch,
            "val/loss": loss + 0.01 * abs(epoch - 2),
            "val/accuracy": state - 0.01 * abs(epoch - 2),
            "seconds": taken,
        }
        for epoch, taken in enumerate(seconds, start=1)
    ]
    write_history(rows, run.history)
    found = {
        "val/accuracy": state,
        "val/loss": loss,
        "test/accuracy": round(state - 0.004, 4),
        "test/loss": loss + 0.01,
        "best_epoch": 2,
        "epochs": len(rows),
        "parameters": 160_305,
        "fit_seconds": 0.05,
        "data_source": "a drawn sample",
        "seed": seed,
    } | metrics
    kept = {name: value for name, value in found.items() if value is not None}
    run.metrics.write_text(json.dumps(kept), encoding="utf-8")
    return run


def write_sweep(
    path: Path,
    axes: Mapping[str, Sequence[Choice]] = LECTURE,
    state: Callable[[Chosen], State] = lecture_accuracy,
    **metrics: Any,
) -> SweepFolder:
    """The folder of a grid of runs; `state` gives each its validation accuracy or why there is none."""
    folder, jobs = SweepFolder(path), []
    for number, values in enumerate(product(*axes.values())):
        chosen: dict[str, Choice] = dict(zip(axes, values, strict=True))
        overrides = [f"{axis}={as_typed(value)}" for axis, value in chosen.items()]
        jobs.append(SweepJob(f"{number:03}_{'_'.join(overrides).replace('/', '-')}"[:80], overrides, chosen))
        seed = chosen.get("seed", 0)
        assert isinstance(seed, int)
        write_run(folder.run(jobs[-1]).path, state(dict(chosen)), seed, **metrics)
    folder.write(Sweep("lecture", "imdbclf train -m …", list(axes), jobs))
    return folder


def job(
    choices: Mapping[str, str],
    seed: str = "0",
    accuracy: float | None = 0.88,
    metrics: Mapping[str, float] | None = None,
) -> JobRow:
    """A row of `sweep.csv`: done where there is an accuracy, else failed."""
    name = "_".join([*choices.values(), seed])
    if accuracy is None:
        return JobRow(name, "failed", choices, seed, {}, "out of memory")
    return JobRow(name, "done", choices, seed, {"val/accuracy": accuracy, "val/loss": 0.3, **(metrics or {})})


def grid(axes: Mapping[str, Sequence[str]], accuracy: Callable[[Mapping[str, str]], float | None]) -> list[JobRow]:
    """A row for each combination; one of the axes is `seed`."""
    rows = []
    for values in product(*axes.values()):
        chosen = dict(zip(axes, values, strict=True))
        choices = {axis: value for axis, value in chosen.items() if axis != "seed"}
        rows.append(job(choices, chosen["seed"], accuracy(chosen)))
    return rows
