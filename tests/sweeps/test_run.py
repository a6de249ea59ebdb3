"""Sweeps from the shell: everything once, nothing twice, nobody stopped by a neighbour, and back after any stop."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import time
from pathlib import Path

import filelock
import numpy as np
import pyarrow.parquet as pq
import pytest
from commands import made, metrics_of, run, start

from imdbclf.folders.sweep import SweepFolder
from sweeps.helpers import results, sweep, times

Capture = pytest.CaptureFixture[str]

FOUR = ("model.layers=1,2", "loss=bce,mse")
IMPOSSIBLE = "1000000000000"
"""A width that no memory holds: it is valid, and the job fails when it begins."""


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory, small: list[str], cache_folder: Path) -> Path:
    """The folder of a small sweep, made once; tests that change it work on a copy."""
    folder = tmp_path_factory.mktemp("sweeps") / "four"
    made(cache_folder, "train", "-m", *small, *FOUR, f"hydra.sweep.dir={folder}")
    return folder


@pytest.fixture
def copy(four: Path, here: Path) -> Path:
    return shutil.copytree(four, here / "sweep")


def test_a_sweep_leaves_its_question_its_runs_and_its_answer(four: Path) -> None:
    assert {path.name for path in four.iterdir()} >= {"sweep.json", "runs", "sweep.csv", "sweep.html"}
    asked = SweepFolder(four).read()
    assert asked.axes == ["model.layers", "loss"]
    assert [job.choices for job in asked.jobs] == [
        {"model.layers": layers, "loss": loss} for layers in (1, 2) for loss in ("bce", "mse")
    ]
    assert len(results(four)) == 4


def test_the_folder_is_named_by_experiment_and_axes_so_that_the_same_command_finds_it(
    here: Path, small: list[str], capsys: Capture
) -> None:
    result = run(capsys, "train", "-m", *small, "experiment=smoke", "model.layers=1", "loss=bce,mse", "seed=0,1")
    assert result.status == 0, result.err
    assert [path.name for path in (here / "outputs").iterdir()] == ["sweep_smoke_loss"]


def test_every_job_gives_bit_for_bit_what_it_gives_alone(
    four: Path, here: Path, small: list[str], capsys: Capture
) -> None:
    assert run(capsys, "train", *small, "model.layers=2", "loss=mse", "hydra.run.dir=alone").status == 0
    (swept,) = four.glob("runs/layers-2_loss-mse_*")
    assert metrics_of(here / "alone") == metrics_of(swept)
    alone, among_others = (pq.read_table(path / "predictions.parquet") for path in (here / "alone", swept))
    assert alone.equals(among_others)


def test_the_same_command_again_computes_nothing(copy: Path, small: list[str], capsys: Capture) -> None:
    before = times(copy)
    result = sweep(capsys, *small, *FOUR)
    assert result.status == 0, result.err
    assert "4 of 4 jobs were done before." in result.out
    assert times(copy) == before


def test_an_extended_grid_computes_only_what_is_new(copy: Path, small: list[str], capsys: Capture) -> None:
    before = times(copy)
    assert sweep(capsys, *small, "loss=bce,mse", "model.layers=1,2,3", "seed=0").status == 0
    after = times(copy)
    assert len(after) == 6
    assert {name: after[name] for name in before} == before
    assert len(results(copy)) == 6


def test_an_unfinished_job_goes_on_from_its_last_epoch_and_equals_an_undisturbed_one(
    copy: Path, small: list[str], capsys: Capture
) -> None:
    undisturbed = results(copy)
    (victim,) = copy.glob("runs/layers-2_loss-bce_*")
    # Two epochs of three, as a kill leaves them.
    assert run(capsys, "train", *small, "model.layers=2", "trainer.max_epochs=2", "hydra.run.dir=cut").status == 0
    shutil.rmtree(victim / "checkpoints")
    shutil.copytree("cut/checkpoints", victim / "checkpoints")
    (victim / "metrics.json").unlink()
    assert sweep(capsys, *small, *FOUR).status == 0
    assert "epoch 2/3" not in (victim / "train.log").read_text(encoding="utf-8").split("Fit: ")[-1]
    assert results(copy) == undisturbed


@pytest.mark.parametrize("damage", ["no checkpoints", "a damaged checkpoint", "all epochs done"])
def test_a_job_that_cannot_go_on_is_done_again(copy: Path, small: list[str], capsys: Capture, damage: str) -> None:
    undisturbed = results(copy)
    (victim,) = copy.glob("runs/layers-1_loss-mse_*")
    (victim / "metrics.json").unlink()
    if damage == "no checkpoints":
        shutil.rmtree(victim / "checkpoints")
    elif damage == "a damaged checkpoint":
        (victim / "checkpoints" / "last.ckpt").write_bytes(b"half")
    assert sweep(capsys, *small, *FOUR).status == 0
    assert results(copy) == undisturbed


def test_a_failing_job_is_logged_in_its_folder_shown_at_the_end_and_stops_no_other(
    here: Path, small: list[str], capsys: Capture
) -> None:
    result = sweep(capsys, *small, f"model.hidden=4,{IMPOSSIBLE},8")
    assert result.status == 2
    assert result.err.startswith("error: 1 of 3 jobs failed or did not finish; why is in sweep/runs/")
    assert len(results(here / "sweep")) == 2
    (failed,) = (here / "sweep" / "runs").glob(f"hidden-{IMPOSSIBLE}_*")
    failure = json.loads((failed / "failure.json").read_text(encoding="utf-8"))
    assert f"model.hidden={IMPOSSIBLE}" in failure["overrides"]
    assert "Traceback" in (failed / "train.log").read_text(encoding="utf-8")
    assert "Traceback" not in result.out
    assert failure["error"][:20] in result.out


def test_with_fail_fast_the_first_failure_stops_the_sweep(here: Path, small: list[str], capsys: Capture) -> None:
    result = sweep(capsys, *small, f"model.hidden=4,{IMPOSSIBLE},8", "fail_fast=true")
    assert result.status == 2
    assert IMPOSSIBLE in result.err
    assert len(result.err.splitlines()) == 1
    assert len(results(here / "sweep")) == 1


def test_a_failed_job_is_tried_again(copy: Path, small: list[str], capsys: Capture) -> None:
    (victim,) = copy.glob("runs/layers-1_loss-bce_*")
    (victim / "metrics.json").unlink()
    (victim / "failure.json").write_text('{"error": "the disk was full", "overrides": []}', encoding="utf-8")
    assert sweep(capsys, *small, *FOUR).status == 0
    assert not (victim / "failure.json").exists()
    assert len(results(copy)) == 4


def test_the_same_job_twice_is_run_once_and_that_is_said(here: Path, small: list[str], capsys: Capture) -> None:
    result = sweep(capsys, *small, "model.hidden=4,4,8")
    assert result.status == 0, result.err
    assert "1 of 3 jobs compute what another one does; each is run once." in result.out
    assert len(results(here / "sweep")) == 2


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model.layers=1,0"], "model.layers=0: must be 1 or more"),
        (["loss=bce,msee"], "loss=msee: must be bce, mse; did you mean 'mse'?"),
        (["seed=range(0)"], "seed=range(0): has no values, so the grid is empty"),
        (["hydra/launcher=ray"], "hydra/launcher=ray: is not installed; pip install 'imdbclf[ray]'"),
        (["hydra/launcher=ray_cluster"], "hydra/launcher=ray: is not installed; pip install 'imdbclf[ray]'"),
        (["hydra/launcher=slrum"], "hydra/launcher=slrum: must be "),
        (["shared_batches=-1"], "shared_batches=-1: must be 0 or more"),
    ],
)
def test_a_wrong_grid_is_refused_in_one_line_before_anything_is_made(
    here: Path, small: list[str], capsys: Capture, overrides: list[str], message: str
) -> None:
    result = run(capsys, "train", "-m", *small, *overrides)
    assert result.status == 2
    assert result.err.startswith(f"error: {message}")
    assert len(result.err.splitlines()) == 1
    assert not (here / "outputs").exists()


def test_a_folder_that_another_process_works_in_is_waited_for(copy: Path, small: list[str]) -> None:
    (victim,) = copy.glob("runs/layers-1_loss-bce_*")
    metrics = (victim / "metrics.json").read_bytes()
    (victim / "metrics.json").unlink()
    lock = filelock.FileLock(victim / ".lock")
    lock.acquire()
    process = start("train", "-m", *small, *FOUR, "hydra.sweep.dir=sweep", cwd=copy.parent)
    time.sleep(8)
    assert process.poll() is None
    # The other process finishes the job; ours finds it done.
    (victim / "metrics.json").write_bytes(metrics)
    lock.release()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert (victim / "metrics.json").read_bytes() == metrics


def _killed_after_first_job(arguments: list[str], number: int, cwd: Path) -> tuple[int, list[str]]:
    """Start a sweep, send its whole process group the signal when a job is done; exit status and lines."""
    process = start("train", "-m", *arguments, cwd=cwd, group=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("[1/"):
            os.killpg(process.pid, number)
    process.stdout.close()
    return process.wait(), lines


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_sweep_keeps_what_is_done_and_prints_the_command_that_goes_on(
    here: Path, small: list[str], capsys: Capture, number: int, status: int
) -> None:
    longer = [override for override in small if "max_epochs" not in override] + ["trainer.max_epochs=20"]
    stopped, lines = _killed_after_first_job([*longer, "model.layers=1,2,3"], number, here)
    assert stopped == status, lines
    assert "Traceback" not in "".join(lines)
    (again,) = (line.removeprefix("Go on:    ") for line in lines if line.startswith("Go on:"))
    done = times(here / "outputs" / "sweep_lecture_layers")
    assert 1 <= len(done) < 3
    resumed = run(capsys, *shlex.split(again)[1:])
    assert resumed.status == 0, resumed.err
    after = times(here / "outputs" / "sweep_lecture_layers")
    assert len(after) == 3
    assert {name: after[name] for name in done} == done


@pytest.mark.parametrize("launcher", ["basic", "processes"])
def test_after_a_kill_the_same_command_ends_as_an_undisturbed_one(
    four: Path, here: Path, small: list[str], capsys: Capture, launcher: str
) -> None:
    grid = [*small, *FOUR, f"hydra/launcher={launcher}", "hydra.sweep.dir=killed"]
    status, _ = _killed_after_first_job(grid, signal.SIGKILL, here)
    assert status == -signal.SIGKILL
    assert len(times(here / "killed")) < 4
    assert sweep(capsys, *small, *FOUR, folder="killed").status == 0
    assert results(here / "killed") == results(four)


@pytest.mark.parametrize("launcher", ["processes", "slurm_local"])
def test_other_engines_give_the_same_bit_for_bit(
    four: Path, here: Path, small: list[str], capsys: Capture, launcher: str
) -> None:
    result = sweep(capsys, *small, "model.layers=1,2", f"hydra/launcher={launcher}")
    assert result.status == 0, result.err
    found = results(here / "sweep")
    expected = {name[-12:]: figures for name, figures in results(four).items() if "loss-bce" in name}
    assert {name[-12:]: figures for name, figures in found.items()} == expected


def test_memory_does_not_grow_with_the_number_of_jobs(here: Path, small: list[str]) -> None:
    quick = [override for override in small if "max_epochs" not in override] + ["trainer.max_epochs=1"]
    process = start("train", "-m", *quick, "seed=range(12)", "hydra.sweep.dir=sweep", cwd=here)
    assert process.stdout is not None
    sizes = [_private_megabytes(process.pid) for line in process.stdout if line.startswith("[")]
    process.stdout.close()
    assert process.wait() == 0
    assert np.median(sizes[-3:]) < np.median(sizes[3:6]) + 20


def _private_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("RssAnon"))
