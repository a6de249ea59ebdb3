"""The closing words on the console."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import run

from reports.sweep.helpers import Chosen, State, write_sweep

Capture = pytest.CaptureFixture[str]


def test_of_many_configurations_the_best_are_shown_and_the_others_counted(tmp_path: Path, capsys: Capture) -> None:
    def accuracy(chosen: Chosen) -> float:
        return 0.5 + float(chosen["model.hidden"]) / 100

    folder = write_sweep(tmp_path, {"model.hidden": list(range(1, 21))}, accuracy)
    out = run(capsys, "sweep-report", str(folder.path)).out
    lines = [line for line in out.splitlines() if line.startswith("│")]
    assert len(lines) == 15
    assert "70.00 %" in lines[0]
    assert "… and 5 more in the report" in out


def test_every_job_that_is_not_done_is_named_with_its_reason(tmp_path: Path, capsys: Capture) -> None:
    states: list[State] = ["failed", "unfinished"]
    folder = write_sweep(tmp_path, {"seed": [0, 1]}, lambda chosen: states[chosen["seed"]])
    out = run(capsys, "sweep-report", str(folder.path)).out
    assert "failed: 000_seed=0: out of memory\n" in out
    assert "unfinished: 001_seed=1\n" in out


def test_what_is_said_once_is_said_once(tmp_path: Path, capsys: Capture) -> None:
    folder = write_sweep(tmp_path, {"seed": [0]}, lambda _: "unfinished")
    for _ in range(2):
        assert run(capsys, "sweep-report", str(folder.path)).out.count("Report: ") == 1


def test_where_the_reviews_came_from_is_said(tmp_path: Path, capsys: Capture) -> None:
    finished = write_sweep(tmp_path / "finished", {"seed": [0, 1]}, lambda _: 0.8)
    (source,) = {
        json.loads(path.read_text(encoding="utf-8"))["data_source"] for path in finished.runs.rglob("metrics.json")
    }
    assert f"Reviews:  {source}\n" in run(capsys, "sweep-report", str(finished.path)).out
    begun = write_sweep(tmp_path / "begun", {"seed": [0]}, lambda _: "unfinished")
    assert "Reviews:  no run is finished\n" in run(capsys, "sweep-report", str(begun.path)).out
