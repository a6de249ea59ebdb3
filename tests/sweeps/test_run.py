"""Sweeps by the command line: each job once, finished jobs never again, failures alone, and back after any stop."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import filelock
import numpy as np
import pyarrow.parquet as pq
import pytest
from commands import going_on, made, metrics_of, run, start
from training.helpers import is_same

from imdbclf.folders.sweep import SweepFolder
from imdbclf.reports.sweep.job_table import collect
from imdbclf.sweeps.run import SweepRun
from sweeps.conftest import FOUR
from sweeps.helpers import results, sweep, times, wait_until

Capture = pytest.CaptureFixture[str]

IMPOSSIBLE = "1000000"
"""A width that no memory holds: it is valid, and the job fails when it begins."""


def test_a_sweep_leaves_its_question_its_runs_and_its_answer(four: Path) -> None:
    assert {path.name for path in four.iterdir()} >= {"sweep.json", "runs", "sweep.csv", "sweep.html"}
    asked = SweepFolder(four).read()
    assert asked.axes == ["model.layers", "loss"]
    assert [job.choices for job in asked.jobs] == [
        {"model.layers": layers, "loss": loss} for layers in (1, 2) for loss in ("bce", "mse")
    ]
    assert len(results(four)) == 4


@pytest.mark.parametrize(
    ("axes", "name"),
    [
        (["model.layers=1", "loss=bce,mse", "seed=0,1"], "sweep_smoke_loss"),
        (["seed=0,1"], "sweep_smoke_seed"),
        (["sweep=lecture", "seed=0,1"], "sweep_lecture_smoke"),
    ],
)
def test_the_folder_is_named_by_experiment_and_axes_so_that_the_same_command_finds_it(
    here: Path, quick: list[str], capsys: Capture, axes: list[str], name: str
) -> None:
    (here / "outputs" / name).mkdir(parents=True)
    (here / "outputs" / name / "notes.txt").touch()
    result = run(capsys, "train", "-m", *quick, "experiment=smoke", *axes)
    assert result.status == 2
    assert f"hydra.sweep.dir={here}/outputs/{name}: is not empty and holds no sweep" in result.err


def test_folds_are_repetitions_as_seeds_are(here: Path, quick: list[str], capsys: Capture) -> None:
    folds = ["data.folds=2", "data.fold=range(2)", "loss.positive_weight=1,balanced", "hydra.sweep.dir=cross"]
    result = run(capsys, "train", "-m", *quick, *folds)
    assert result.status == 0, result.err
    cross = SweepFolder(here / "cross")
    rows = collect(cross, cross.read()).rows
    assert {(row.choices["loss.positive_weight"], row.seed) for row in rows} == {
        (weight, f"0 fold {fold}") for weight in ("1", "balanced") for fold in (0, 1)
    }
    assert "2 seeds" in result.out
    page = (here / "cross" / "sweep.html").read_text(encoding="utf-8")
    assert "Each fold counts as a seed." in page
    assert run(capsys, "sweep-report", "cross").status == 0
    assert (here / "cross" / "sweep.html").read_text(encoding="utf-8") == page


def test_every_job_gives_bit_for_bit_what_it_gives_alone(
    four: Path, here: Path, quick: list[str], capsys: Capture
) -> None:
    assert run(capsys, "train", *quick, "model.layers=2", "loss=mse", "hydra.run.dir=alone").status == 0
    (swept,) = four.glob("runs/layers-2_loss-mse_*")
    assert metrics_of(here / "alone") == metrics_of(swept)
    alone, among_others = (pq.read_table(path / "predictions.parquet") for path in (here / "alone", swept))
    assert alone.equals(among_others)


def test_the_same_command_again_computes_nothing(copy: Path, quick: list[str], capsys: Capture) -> None:
    before = times(copy)
    result = sweep(capsys, *quick, *FOUR)
    assert result.status == 0, result.err
    assert "4 of 4 jobs were done before." in result.out
    assert times(copy) == before


def test_an_extended_grid_computes_only_what_is_new_and_equal_jobs_once(
    copy: Path, quick: list[str], capsys: Capture
) -> None:
    before = times(copy)
    result = sweep(capsys, *quick, "loss=mse", "model.layers=1,2,3,2", "seed=0")
    assert result.status == 0, result.err
    assert "1 of 4 jobs compute what another one does; each is run once." in result.out
    after = times(copy)
    assert len(after) == 5
    assert {name: after[name] for name in before} == before
    assert len(results(copy)) == 3


@pytest.fixture(scope="module")
def repaired(four: Path, tmp_path_factory: pytest.TempPathFactory, quick: list[str], cache_folder: Path) -> Path:
    """The four jobs as kills and failures leave them, and then the same command again."""
    place = tmp_path_factory.mktemp("repaired")
    folder = shutil.copytree(four, place / "sweep")
    for metrics in folder.glob("runs/*/metrics.json"):
        metrics.unlink()
    one_epoch = [*quick, "model.layers=2", "trainer.max_epochs=1", f"hydra.run.dir={place / 'cut'}"]
    made(cache_folder, "train", *one_epoch)
    shutil.copytree(
        place / "cut" / "checkpoints", job_of(folder, "layers-2_loss-bce") / "checkpoints", dirs_exist_ok=True
    )
    for name in ("best", "last"):
        (job_of(folder, "layers-1_loss-mse") / "checkpoints" / f"{name}.ckpt").write_bytes(b"half")
    (job_of(folder, "layers-2_loss-mse") / "checkpoints" / "last.ckpt").write_bytes(b"half")
    failed = job_of(folder, "layers-1_loss-bce")
    shutil.rmtree(failed / "checkpoints")
    (failed / "failure.json").write_text('{"error": "the disk was full", "overrides": []}', encoding="utf-8")
    made(cache_folder, "train", "-m", *quick, *FOUR, f"hydra.sweep.dir={folder}")
    return folder


def job_of(folder: Path, name: str) -> Path:
    """The run folder of the job."""
    (found,) = folder.glob(f"runs/{name}_*")
    return found


def test_jobs_that_were_cut_short_end_bit_for_bit_as_undisturbed_ones(repaired: Path, four: Path) -> None:
    assert results(repaired) == results(four) != {}


def test_an_unfinished_job_goes_on_from_its_last_epoch(repaired: Path) -> None:
    log = (job_of(repaired, "layers-2_loss-bce") / "train.log").read_text(encoding="utf-8").split("Fit: ")[-1]
    assert "epoch 2/2" in log
    assert "epoch 1/2" not in log


@pytest.mark.parametrize("name", ["layers-1_loss-bce", "layers-1_loss-mse"])
def test_a_job_without_a_checkpoint_to_go_on_from_is_done_again(repaired: Path, name: str) -> None:
    log = (job_of(repaired, name) / "train.log").read_text(encoding="utf-8").split("Fit: ")[-1]
    assert "epoch 1/2" in log


def test_a_damaged_last_checkpoint_is_replaced_by_the_best_one(repaired: Path) -> None:
    log = (job_of(repaired, "layers-2_loss-mse") / "train.log").read_text(encoding="utf-8").split("Fit: ")
    assert ["epoch 2/2" in fit for fit in log[1:]] == [True, False]


def test_a_failed_job_is_tried_again(repaired: Path) -> None:
    assert not (job_of(repaired, "layers-1_loss-bce") / "failure.json").exists()


DAMAGES = {
    "metrics.json": [
        "",
        '{"val/loss": 0.',
        "[]",
        '{"epochs": [], "best_epoch": 1}',
        '{"epochs": 2, "best_epoch": 1e999}',
        "{}",
    ],
    "history.csv": [
        "",
        "epoch,train/loss,train/accuracy\n1,0.5,0.5\n",
        "epoch,seconds\n1,x\n",
        "\0,\0\n\0\n",
        "a\n1,2,3\n",
    ],
}


@pytest.mark.parametrize(("name", "damage"), [(name, damage) for name in DAMAGES for damage in DAMAGES[name]])
def test_a_job_with_a_damaged_file_is_named_in_a_report_as_one_to_do_again(copy: Path, name: str, damage: str) -> None:
    (job_of(copy, "layers-2_loss-mse") / name).write_text(damage, encoding="utf-8")
    collected = collect(SweepFolder(copy), SweepFolder(copy).read())
    assert [(row.status, row.error) for row in collected.rows if row.status != "done"] == [
        ("failed", f"{name} cannot be read")
    ]


def test_damaged_jobs_of_a_sweep_are_done_again_wherever_its_folder_is_now(
    copy: Path, four: Path, capsys: Capture
) -> None:
    damages = [(name, damage) for name in DAMAGES for damage in DAMAGES[name][:2]]
    moved = copy.rename(copy.with_name("moved"))
    jobs = sorted(moved.glob("runs/*"))
    for job, (name, damage) in zip(jobs, damages, strict=True):
        (job / name).write_text(damage, encoding="utf-8")
    resumed = run(capsys, "train", "--resume", "moved")
    assert resumed.status == 0, resumed.err
    for job, (name, _) in zip(jobs, damages, strict=True):
        assert f"moved/runs/{job.name}/{name}: is damaged; the job is done again.\n" in resumed.out
        assert is_same(job, four / "runs" / job.name)


def test_a_failing_job_is_logged_in_its_folder_shown_at_the_end_and_stops_no_other(
    here: Path, quick: list[str], capsys: Capture
) -> None:
    result = sweep(capsys, *quick, f"model.hidden={IMPOSSIBLE},8")
    assert result.status == 2
    assert result.err.startswith("error: 1 of 2 jobs failed or did not finish; the reasons are in sweep/runs/")
    assert len(results(here / "sweep")) == 1
    failed = job_of(here / "sweep", f"hidden-{IMPOSSIBLE}")
    failure = json.loads((failed / "failure.json").read_text(encoding="utf-8"))
    assert f"model.hidden={IMPOSSIBLE}" in failure["overrides"]
    assert "Traceback" in (failed / "train.log").read_text(encoding="utf-8")
    assert "Traceback" not in result.out
    assert failure["error"][:20] in result.out


def test_with_fail_fast_the_first_failure_stops_the_sweep(here: Path, quick: list[str], capsys: Capture) -> None:
    result = sweep(capsys, *quick, f"model.hidden={IMPOSSIBLE},8", "fail_fast=true")
    assert result.status == 2
    assert IMPOSSIBLE in result.err
    assert len(result.err.splitlines()) == 1
    assert results(here / "sweep") == {}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model.layers=1,0"], "model.layers=0: must be 1 or more"),
        (["loss=bce,msee"], "loss=msee: must be bce, mse; did you mean 'mse'?"),
        (["seed=range(0)"], "seed=range(0): has no values, so the grid is empty"),
        (["hydra/launcher=ray_cluster"], "hydra/launcher=ray: is not installed; "),
        (
            ["model.layers=1,2", "data.text_column=body"],
            "part train has no column 'body'; data.text_column must be one",
        ),
        (["hydra/launcher=slrum"], "hydra/launcher=slrum: must be "),
    ],
)
def test_a_wrong_grid_is_refused_in_one_line_before_anything_is_made(
    here: Path, quick: list[str], capsys: Capture, overrides: list[str], message: str
) -> None:
    result = run(capsys, "train", "-m", *quick, *overrides)
    assert result.status == 2
    assert result.err.startswith("error: ")
    assert message in result.err
    assert len(result.err.splitlines()) == 1
    assert not (here / "outputs").exists()


@pytest.mark.usefixtures("open_files_stay", "here")
def test_jobs_remove_their_locks_where_open_files_cannot_be_removed(quick: list[str], capsys: Capture) -> None:
    assert sweep(capsys, *quick, "model.layers=1").err == ""
    assert len(list(Path().rglob("metrics.json"))) == 1
    assert not list(Path().rglob("*.lock"))


def test_a_job_that_another_process_works_on_is_waited_for(copy: Path, quick: list[str], capsys: Capture) -> None:
    job = job_of(copy, "layers-1_loss-bce")
    metrics = (job / "metrics.json").read_bytes()
    (job / "metrics.json").unlink()
    (job / "config.yaml").unlink()
    (job / "train.log").unlink()
    lock = filelock.FileLock(job / ".lock", thread_local=False)
    begun_meanwhile = []

    def finish() -> None:
        """What the other process does. (A lock must not be taken twice in one thread.)"""
        lock.acquire()
        wait_until((job / "train.log").exists)
        time.sleep(0.2)
        begun_meanwhile.append((job / "config.yaml").exists())
        (job / "metrics.json").write_bytes(metrics)
        lock.release()

    other = threading.Thread(target=finish)
    other.start()
    wait_until(lambda: lock.is_locked)
    result = sweep(capsys, *quick, "model.layers=1", "loss=bce,mse")
    other.join()
    assert result.status == 0, result.err
    assert begun_meanwhile == [False]
    assert (job / "metrics.json").read_bytes() == metrics


def test_a_stopped_sweep_keeps_what_is_done_and_prints_the_command_that_goes_on(
    here: Path, quick: list[str], capsys: Capture
) -> None:
    longer = [*quick, "trainer.max_epochs=10", "model.layers=1,2,3"]
    process = start("train", "-m", *longer, cwd=here, group=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("[1/"):
            os.killpg(process.pid, signal.SIGTERM)
    process.stdout.close()
    assert process.wait() == 143, lines
    assert "Traceback" not in "".join(lines)
    done = times(here / "outputs" / "sweep_lecture_layers")
    assert 1 <= len(done) < 3
    again = going_on("".join(lines))
    assert again == ["train", "--resume", "outputs/sweep_lecture_layers"]
    assert any(line.startswith("Folder: outputs/sweep_lecture_layers (") for line in lines[:2])
    resumed = run(capsys, *again)
    assert resumed.status == 0, resumed.err
    after = times(here / "outputs" / "sweep_lecture_layers")
    assert len(after) == 3
    assert {name: after[name] for name in done} == done


def test_if_the_launcher_gives_up_what_is_done_is_reported(
    copy: Path, quick: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        msg = "no queue\nanswers"
        raise RuntimeError(msg)

    (job_of(copy, "layers-1_loss-bce") / "metrics.json").unlink()
    monkeypatch.setattr(SweepRun, "launch", fail)
    result = sweep(capsys, *quick, "model.layers=1", "loss=bce,mse")
    assert result.status == 2
    assert "The launcher gave up (RuntimeError: no queue answers).\nGo on:    " in result.out
    assert result.err.startswith("error: 1 of 2 jobs failed or did not finish")


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["processes", "slurm_local"])
def test_other_engines_give_the_same_bit_for_bit(
    four: Path, here: Path, quick: list[str], capsys: Capture, launcher: str
) -> None:
    result = sweep(capsys, *quick, "model.layers=1,2", f"hydra/launcher={launcher}")
    assert result.status == 0, result.err
    found = results(here / "sweep")
    expected = {name[-12:]: metrics for name, metrics in results(four).items() if "loss-bce" in name}
    assert {name[-12:]: metrics for name, metrics in found.items()} == expected


@pytest.mark.ray
def test_a_ray_cluster_gives_the_same_bit_for_bit_as_one_process(here: Path, quick: list[str]) -> None:
    for launcher in ("ray_cluster", "basic"):
        grid = [*quick, "model.layers=1,2", f"hydra/launcher={launcher}", f"hydra.sweep.dir={launcher}"]
        process = start("train", "-m", *grid, cwd=here)
        out, _ = process.communicate(timeout=300)
        assert process.returncode == 0, out
    assert results(here / "ray_cluster") == results(here / "basic") != {}


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_jobs(here: Path, quick: list[str]) -> None:
    process = start("train", "-m", *quick, "trainer.max_epochs=1", "seed=range(12)", "hydra.sweep.dir=sweep", cwd=here)
    assert process.stdout is not None
    sizes = [_private_megabytes(process.pid) for line in process.stdout if line.startswith("[")]
    process.stdout.close()
    assert process.wait() == 0
    assert np.median(sizes[-3:]) < np.median(sizes[3:6]) + 20


def _private_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("RssAnon"))
