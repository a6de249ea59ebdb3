"""The jobs of a sweep, collected from their folders, written to CSV and read from it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imdbclf.folders.sweep import Choice, Sweep, SweepFolder, SweepJob
from imdbclf.reports.sweep.job_table import JobRow, as_typed, collect, read_table, write_epochs, write_table
from reports.sweep.helpers import LECTURE, State, write_run, write_sweep

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(lambda text: " ".join(text.split()))
METRICS = st.fixed_dictionaries(
    {},
    optional={
        "val/loss": st.floats(0, 100),
        "val/accuracy": st.floats(0, 1),
        "best_epoch": st.integers(1, 99),
        "parameters": st.integers(1, 10**9),
        "fit_seconds": st.floats(0, 1e6),
        "test/accuracy": st.floats(0, 1),
    },
)
ROWS = st.lists(
    st.builds(
        JobRow,
        folder=NAMES,
        status=st.sampled_from(["done", "failed", "unfinished"]),
        choices=st.fixed_dictionaries({"model.hidden": NAMES, "loss": NAMES}),
        seed=NAMES,
        metrics=METRICS,
        error=NAMES,
    ),
    max_size=4,
)


@settings(max_examples=30, deadline=None)
@given(rows=ROWS)
def test_written_rows_are_read_unchanged(tmp_path_factory: pytest.TempPathFactory, rows: list[JobRow]) -> None:
    path = tmp_path_factory.mktemp("table") / "sweep.csv"
    write_table(rows, ["model.hidden", "seed", "loss"], path)
    assert read_table(path) == rows


@pytest.mark.parametrize(
    "cell", ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "'=1", "''-a", "\t=1", "-0.5", "1e-3"]
)
def test_a_spreadsheet_computes_no_text_of_the_table(tmp_path: Path, cell: str) -> None:
    rows = [JobRow(cell, "failed", {"loss": cell}, cell, {}, cell)]
    write_table(rows, ["loss"], tmp_path / "sweep.csv")
    with (tmp_path / "sweep.csv").open(encoding="utf-8", newline="") as stream:
        written = next(csv.DictReader(stream))
    texts = [written[name] for name in ("folder", "loss", "seed", "error")]
    assert texts == [cell if cell in {"-0.5", "1e-3"} else f"'{cell}"] * 4
    assert read_table(tmp_path / "sweep.csv") == rows


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ([32, 16], "[32,16]"),
        (True, "true"),
        (None, "null"),
        (0.001, "0.001"),
        (2, "2"),
        ("relu", "relu"),
        ("a\nb", "a b"),
    ],
)
def test_values_are_shown_as_they_are_typed(value: Choice, shown: str) -> None:
    assert as_typed(value) == shown


def test_the_columns_are_those_of_the_axes_and_the_metrics(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path / "sweep")
    write_table(collect(folder, folder.read()).rows, list(LECTURE), folder.table)
    with folder.table.open(encoding="utf-8", newline="") as stream:
        row = next(csv.DictReader(stream))
    assert row == {
        "folder": "000_model.layers=1_loss=bce_seed=0",
        "status": "done",
        "model.layers": "1",
        "loss": "bce",
        "seed": "0",
        "val/loss": "0.3",
        "val/accuracy": "0.88",
        "best_epoch": "2",
        "epochs": "3",
        "parameters": "160305",
        "fit_seconds": "0.6",
        "test/loss": "0.31",
        "test/accuracy": "0.876",
        "error": "",
    }


def test_the_seconds_of_a_resumed_run_are_those_of_all_epochs(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path, {"seed": [0]}, lambda _: 0.88, fit_seconds=0.01, seconds=[1.0, 2.0])
    assert collect(folder, folder.read()).rows[0].metrics["fit_seconds"] == 3.0


def test_a_job_that_is_not_done_says_why(tmp_path: Path) -> None:
    states: list[State] = ["failed", "unfinished"]
    folder = write_sweep(tmp_path, {"seed": [0, 1]}, lambda chosen: states[chosen["seed"]])
    rows = collect(folder, folder.read()).rows
    assert [(row.status, row.error) for row in rows] == [
        ("failed", "out of memory"),
        ("unfinished", ""),
    ]
    assert all(row.accuracy is None and not row.metrics for row in rows)


def test_damaged_metrics_are_a_failure_and_a_damaged_reason_is_no_reason(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path, {"seed": [0, 1]}, lambda chosen: 0.88 if chosen["seed"] == 0 else "failed")
    done, failed = (folder.run(job) for job in folder.read().jobs)
    done.metrics.write_text("{", encoding="utf-8")
    failed.failure.write_text("[]", encoding="utf-8")
    rows = collect(folder, folder.read()).rows
    assert [(row.status, row.error) for row in rows] == [
        ("failed", "metrics.json cannot be read"),
        ("failed", "no reason was recorded"),
    ]


def test_the_seed_of_a_sweep_without_that_axis_is_that_of_the_run(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    jobs = [SweepJob("one", ["loss=mse"], {"loss": "mse"})]
    folder.write(Sweep("lecture", "", ["loss"], jobs))
    write_run(folder.run(jobs[0]).path, 0.88, seed=7)
    rows = collect(folder, folder.read()).rows
    assert (rows[0].seed, dict(rows[0].choices)) == ("7", {"loss": "mse"})
    write_table(rows, ["loss"], folder.table)
    assert folder.table.read_text(encoding="utf-8").startswith("folder,status,loss,seed,val/loss,")


def test_a_folder_named_twice_is_one_run(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    folder.write(Sweep("lecture", "", ["seed"], [SweepJob("one", ["seed=0"], {"seed": 0})] * 2))
    write_run(tmp_path / "runs" / "one", 0.88, seed=0)
    assert len(collect(folder, folder.read()).rows) == 1


def test_the_epochs_of_all_jobs_are_one_table(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path, {"seed": [0, 1]}, lambda chosen: 0.88 if chosen["seed"] == 0 else "unfinished")
    collected = collect(folder, folder.read())
    write_epochs(collected.rows, collected.epochs, folder.epochs)
    with folder.epochs.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["folder"], row["epoch"]) for row in rows] == [
        ("000_seed=0", "1"),
        ("000_seed=0", "2"),
        ("000_seed=0", "3"),
    ]
    assert list(rows[0]) == ["folder", "epoch", "train/loss", "train/accuracy", "val/loss", "val/accuracy", "seconds"]
