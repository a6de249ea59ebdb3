"""Sweeps of small runs, and what they leave."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Result, metrics_of, run

from imdbclf.folders.sweep import SweepFolder


def sweep(capsys: pytest.CaptureFixture[str], *overrides: str, folder: str = "sweep") -> Result:
    """`imdbclf train -m OVERRIDES` in this process, into the folder."""
    return run(capsys, "train", "-m", *overrides, f"hydra.sweep.dir={folder}")


def results(folder: Path) -> dict[str, dict[str, Any]]:
    """The metrics of every finished job, by its folder's name."""
    sweep_folder = SweepFolder(folder)
    runs = ((job.folder, sweep_folder.run(job)) for job in sweep_folder.read().jobs)
    return {name: metrics_of(run_folder.path) for name, run_folder in runs if run_folder.outcome == "done"}


def times(folder: Path) -> dict[str, int]:
    """When each job was finished."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("runs/*/metrics.json")}


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another process or thread, a minute at most."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)
