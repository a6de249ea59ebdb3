"""The last lines of a run. What a whole run prints is tested with `training.app`."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from imdbclf.reports.run_summary import metrics_table, print_interruption

ROW = {"epoch": 1.0, "train/loss": 0.5, "train/accuracy": 0.8, "val/loss": 0.4, "val/accuracy": 0.85, "seconds": 0.1}
Log = pytest.LogCaptureFixture


def test_a_run_that_is_interrupted_names_its_epoch_its_files_and_how_to_go_on(here: Path, caplog: Log) -> None:
    caplog.set_level("INFO")
    print_interruption(here / "run", "after epoch 1 of 20", [ROW], "imdbclf train …")
    lines = "\n".join(caplog.messages).splitlines()
    assert lines[1].startswith("Interrupted after epoch 1 of 20. Validation loss was lowest (0.4000) after epoch 1")
    assert lines[2:] == ["Files:    run", "Go on:    imdbclf train …"]


def test_before_the_first_epoch_nothing_is_kept(here: Path, caplog: Log) -> None:
    caplog.set_level("INFO")
    print_interruption(here, "before the end of the first epoch", [], None)
    assert caplog.messages == ["\nInterrupted before the end of the first epoch; nothing was kept."]


def test_the_table_has_a_column_for_each_part_and_intervals_where_there_are_any() -> None:
    names = ("accuracy", "loss", "auroc", "f1", "calibration_error")
    metrics = {f"test/{name}": 0.5 for name in names} | {"test/accuracy_interval": [0.4, 0.6]}
    console = Console(width=100, record=True)
    console.print(metrics_table(metrics, "Best epoch 1 of 2"))
    text = console.export_text()
    assert "validation" not in text
    assert "0.5000 (0.4000 – 0.6000) │" in text
    assert "│ loss                 │                   0.5000 │" in text
