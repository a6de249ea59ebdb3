"""Searches by the command line: real trials of a moment, resumed, shared, refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import optuna
import pytest
from commands import Result, made, run, start
from optuna.trial import FrozenTrial, TrialState

from imdbclf.folders.journal import open_journal, read_journal
from imdbclf.folders.sweep import SweepFolder

SEARCH = ["train", "-m", "hydra/sweeper=search"]
RATE = "optimizer.lr=tag(log,interval(1e-3,1e-1))"
LAYERS = "model.layers=1,2"
SOON = ["+hydra.sweeper.sampler_options.n_startup_trials=3", "hydra.sweeper.trials=7"]
"""TPE draws three trials at random, then four by what it has learnt."""


def trials_of(folder: Path) -> list[FrozenTrial]:
    """The trials of the one search in the folder."""
    storage = read_journal(SweepFolder(folder).journal)
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage).trials


def told(trials: list[FrozenTrial]) -> list[tuple[Any, ...]]:
    """What came of the trials, in their order; one that was killed while its values were chosen counts for nothing."""
    counted = [one for one in trials if "abandoned" not in one.user_attrs]
    return [(one.state, one.params, one.value) for one in counted]


def manifest(folder: Path) -> dict[str, Any]:
    contents: dict[str, Any] = json.loads(SweepFolder(folder).manifest.read_text(encoding="utf-8"))
    return contents


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, small: list[str], cache_folder: Path) -> Path:
    """A search that nothing disturbs; tests only read it."""
    folder = tmp_path_factory.mktemp("search") / "undisturbed"
    command = [sys.executable, "-m", "imdbclf", *SEARCH, *small, RATE, LAYERS, f"hydra.sweep.dir={folder}"]
    done = subprocess.run(
        [*command, *SOON],
        env=os.environ | {"IMDBCLF_CACHE": str(cache_folder)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_search_reports_its_trials_and_the_best_of_them(undisturbed: Path) -> None:
    trials = trials_of(undisturbed)
    best = min((one for one in trials if one.state is TrialState.COMPLETE), key=lambda one: one.value or 0.0)
    text = SweepFolder(undisturbed).page.read_text(encoding="utf-8")
    assert len(trials) == 7
    assert f"Lowest validation loss: learning rate {best.params['optimizer.lr']:.4g}" in text
    assert "<h2>The search</h2>" in text
    assert "Main effects" not in text
    assert (undisturbed / "search.png").exists()
    assert "Confirm it over seeds: " in text


def test_the_manifest_says_how_was_searched_and_lists_each_job_once(undisturbed: Path) -> None:
    contents = manifest(undisturbed)
    folders = [job["folder"] for job in contents["jobs"]]
    assert len(set(folders)) == len(folders) == 7
    assert contents["axes"] == ["optimizer.lr", "model.layers"]
    search = contents["search"]
    assert (search["sampler"], search["sampler_seed"], search["monitor"]) == ("tpe", 0, "val/loss")
    assert sum(search["outcomes"][name] for name in ("done", "failed")) == 7


def test_a_search_that_is_killed_goes_on_as_if_it_had_not_been(
    undisturbed: Path, tmp_path: Path, small: list[str], here: Path
) -> None:
    folder = tmp_path / "killed"
    arguments = [*SEARCH, *small, RATE, LAYERS, f"hydra.sweep.dir={folder}", *SOON]
    process = start(*arguments, cwd=here)
    wait_for(lambda: started(folder) >= 5, process)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert any(one.state is TrialState.RUNNING for one in trials_of(folder))
    last = start(*arguments, cwd=here)
    out, _ = last.communicate()
    assert last.returncode == 0, out
    assert "trials were finished before" in out
    assert told(trials_of(folder)) == told(trials_of(undisturbed))


def test_a_search_that_is_stopped_says_how_far_it_came_and_how_to_go_on(
    tmp_path: Path, small: list[str], here: Path
) -> None:
    process = start(*SEARCH, *small, RATE, f"hydra.sweep.dir={tmp_path}", "hydra.sweeper.trials=99", cwd=here)
    wait_for(lambda: started(tmp_path) >= 2, process)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()
    assert process.returncode == 130
    assert "of 99 jobs done" in out
    assert "Go on:    " in out


def test_two_processes_share_one_search_and_its_budget(tmp_path: Path, small: list[str], here: Path) -> None:
    folder = tmp_path / "shared"
    arguments = [*SEARCH, *small, RATE, f"hydra.sweep.dir={folder}", "hydra.sweeper.trials=6"]
    both = [start(*arguments, cwd=here) for _ in range(2)]
    for process in both:
        out, _ = process.communicate()
        assert process.returncode == 0, out
    trials = trials_of(folder)
    assert [one.state for one in trials] == [TrialState.COMPLETE] * 6
    assert len({one.user_attrs["owner"] for one in trials}) == 2
    assert len(manifest(folder)["jobs"]) == 6


def test_a_finite_space_ends_when_every_combination_was_tried(
    tmp_path: Path, small: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    result = search(capsys, tmp_path, *small, LAYERS, "hydra.sweeper.sampler=random", "hydra.sweeper.trials=50")
    assert result.status == 0
    assert "all 2 combinations were tried" in result.out
    assert len(manifest(tmp_path)["jobs"]) == 2


def test_workers_make_a_batch_and_another_launcher_runs_it(
    tmp_path: Path, small: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    result = search(
        capsys, tmp_path, *small, RATE, "hydra/launcher=processes", "hydra.launcher.n_jobs=2", "hydra.sweeper.trials=3"
    )
    assert result.status == 0, result.err
    assert [one.state for one in trials_of(tmp_path)] == [TrialState.COMPLETE] * 3
    assert manifest(tmp_path)["search"]["workers"] == 2


def test_a_trial_that_fails_is_told_so_and_the_others_go_on(
    tmp_path: Path, small: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    broken = ["+trainer.no_such_argument=true,false", "hydra.sweeper.trials=2"]
    result = search(capsys, tmp_path, *small, *broken)
    assert result.status != 0
    assert [one.state for one in trials_of(tmp_path)] == [TrialState.FAIL] * 2
    assert "no_such_argument" in result.out
    assert re.search("jobs failed", result.err)


def test_fail_fast_stops_the_search(tmp_path: Path, small: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    broken = ["+trainer.no_such_argument=true,false", "fail_fast=true"]
    result = search(capsys, tmp_path, *small, *broken)
    assert result.status != 0
    assert len(trials_of(tmp_path)) == 1


def test_another_space_in_the_same_folder_is_another_search(
    tmp_path: Path, small: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for axis in (LAYERS, "model.layers=1,2,3"):
        assert search(capsys, tmp_path, *small, axis, "hydra.sweeper.trials=2").status == 0
    storage = read_journal(SweepFolder(tmp_path).journal)
    assert [len(study.get_trials()) for study in studies(storage)] == [2, 2]


def test_minutes_end_a_search_without_a_number_of_trials(
    tmp_path: Path, small: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    result = search(capsys, tmp_path, *small, RATE, "hydra.sweeper.trials=null", "hydra.sweeper.minutes=0.01")
    assert result.status == 0
    assert "minutes=0.01 are over" in result.out
    assert 1 <= len(trials_of(tmp_path)) < 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to search in"),
        (["loss=bce,mse"], "hydra.sweeper.monitor=val/accuracy"),
        (["seed=0,1"], "luckiest seed"),
        ([RATE, "data.val_size=0"], "needs a validation part"),
        ([RATE, "hydra.sweeper.sampler=tpee"], "did you mean 'tpe'"),
        ([RATE, "hydra.sweeper.sampler=grid"], "interval has no list of values"),
        ([RATE, "+hydra.sweeper.sampler_options.n_startup=3"], "hydra.sweeper.sampler_options"),
        ([RATE, "hydra.sweeper.pruner=median"], "hydra.sweeper.pruner=median: pruning was removed; train fewer epochs"),
        ([RATE, "+hydra.sweeper.pruner_options.n_warmup_steps=3"], "pruning was removed"),
        ([RATE, "hydra.sweeper.trials=0"], "hydra.sweeper.trials=0: must be 1 or more"),
        ([RATE, "hydra.sweeper.trials=null"], "give hydra.sweeper.trials or hydra.sweeper.minutes"),
        ([RATE, "hydra.sweeper.monitor=val/acc"], "must be val/loss or val/accuracy"),
        ([RATE, "+hydra.sweeper.trails=3"], "did you mean 'trials'"),
        (["model.layers=range(0,3)"], "model.layers=0: must be 1 or more"),
        (["loss=bce,msee", "hydra.sweeper.monitor=val/accuracy"], "did you mean 'mse'"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line_before_there_is_a_folder(
    here: Path, small: list[str], capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    result = search(capsys, here / "refused", *small, *arguments)
    assert result.status == 2
    assert said in result.err
    assert result.err.count("\n") == 1
    assert not (here / "refused" / "runs").exists()


def test_without_optuna_the_extra_is_named(
    here: Path, small: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    result = search(capsys, here / "refused", *small, RATE)
    assert result.err == "error: hydra/sweeper=search: Optuna is not installed; pip install 'imdbclf[search]'\n"


@pytest.mark.parametrize("sampler", ["tpe", "QMCSampler", "grid", "brute_force"])
def test_each_sampler_searches_and_runs_of_a_grid_are_told_at_once(
    grid: Path, tmp_path: Path, small: list[str], capsys: pytest.CaptureFixture[str], sampler: str
) -> None:
    folder = tmp_path / "searched"
    shutil.copytree(grid, folder)
    result = search(capsys, folder, *small, "model.layers=range(1,4)", f"hydra.sweeper.sampler={sampler}")
    assert result.status == 0, result.err
    assert all(one.user_attrs["reused"] for one in trials_of(folder))
    assert changed(folder) == changed(grid)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory, small: list[str], cache_folder: Path) -> Path:
    """A folder in which every run that a search could want is done."""
    folder = tmp_path_factory.mktemp("grid") / "sweep"
    made(cache_folder, "train", "-m", *small, "model.layers=1,2,3", f"hydra.sweep.dir={folder}")
    return folder


def changed(folder: Path) -> dict[str, int]:
    """When the figures of each run were written."""
    return {file.parent.name: file.stat().st_mtime_ns for file in folder.glob("runs/*/metrics.json")}


def test_a_torn_line_of_a_dead_process_does_not_spoil_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "search.journal"
    optuna.create_study(storage=open_journal(path), study_name="one")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code": 0, "wor')
    optuna.create_study(storage=open_journal(path), study_name="two")
    assert path.read_bytes().startswith(whole)
    assert optuna.get_all_study_names(read_journal(path)) == ["one", "two"]


def search(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> Result:
    return run(capsys, *SEARCH, *arguments, f"hydra.sweep.dir={folder}")


def studies(storage: Any) -> list[optuna.Study]:
    return [optuna.load_study(study_name=name, storage=storage) for name in optuna.get_all_study_names(storage)]


def started(folder: Path) -> int:
    """How many trials have begun."""
    try:
        return len(trials_of(folder))
    except (OSError, ValueError):
        return 0


def wait_for(happened: Any, process: subprocess.Popen[str]) -> None:
    """Wait for what another process does."""
    until = time.monotonic() + 60
    while not happened():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.02)
