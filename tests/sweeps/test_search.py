"""A search: its budget, going on after a kill, several processes, results that are there already, and refusals.

Most tests search among jobs that take no time; those at the end run the real command.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import os
import shutil
import signal
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, cast

import optuna
import pytest
from commands import Result, made, start
from conftest import Once
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from optuna.trial import FrozenTrial, TrialState

from imdbclf.errors import UserError
from imdbclf.folders.run import RunFolder
from imdbclf.folders.search_journal import counted, open_journal
from imdbclf.folders.sweep import SweepFolder, SweepJob
from imdbclf.sweeps.plan import KEY_LENGTH, PlannedJob, Planner
from imdbclf.sweeps.progress import Tally
from imdbclf.sweeps.run import SweepRun
from imdbclf.sweeps.search import Search, SearchSettings
from imdbclf.sweeps.space import Space
from imdbclf.training.process import sigterm_as_interrupt
from sweeps.helpers import sweep, times, wait_until

Capture = pytest.CaptureFixture[str]

RATE = "optimizer.lr=tag(log,interval(1e-3,1e-1))"
LAYERS = "model.layers=range(1,4)"
SOON: dict[str, Any] = {"sampler_options": {"n_startup_trials": 3}, "trials": 7}
"""TPE draws three trials at random, then four by what it has learnt."""


class Killed(BaseException):
    """Ends a process without any of its last words."""


def loss_of(job: SweepJob) -> float | None:
    """A loss that is smallest for small rates and few layers."""
    return sum(float(override.partition("=")[2]) for override in job.overrides)


class InstantSweep(SweepRun):
    """A sweep whose jobs take no time: `result` gives the loss of a job, None to leave it unfinished, or raises."""

    def __init__(self, folder: Path, result: Callable[[SweepJob], float | None], launcher: dict[str, int]) -> None:
        self.folder, self.result = SweepFolder(folder), result
        self.config = OmegaConf.create({"hydra": {"launcher": launcher}})
        self.experiment, self.sweep, self.command = "lecture", "none", "imdbclf train -m"
        self.batches: list[list[str]] = []
        self.elsewhere: Collection[str] | None = None

    def launch(self, jobs: Sequence[PlannedJob], tally: Tally) -> None:  # noqa: ARG002
        if jobs:
            self.batches.append([planned.job.folder for planned in jobs])
        for planned in jobs:
            loss = self.result(planned.job)
            if loss is not None:
                finish(self.folder.run(planned.job), loss)

    def report(self, elsewhere: Collection[str] = ()) -> None:
        self.elsewhere = elsewhere


class InstantPlanner(Planner):
    """Names a job by a hash of its overrides."""

    def __init__(self) -> None: ...

    def plan(self, overrides: Sequence[str]) -> PlannedJob:
        if "model.layers=0" in overrides:
            msg = "model.layers=0: must be 1 or more"
            raise UserError(msg)
        folder = hashlib.sha256("".join(overrides).encode()).hexdigest()[:KEY_LENGTH]
        return PlannedJob(SweepJob(folder, list(overrides), {}), cast("Any", None), cast("Any", None))


def finish(folder: RunFolder, loss: float) -> None:
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.metrics.write_text(json.dumps({"val/loss": loss, "best_epoch": 1}), encoding="utf-8")


def space(*typed: str) -> Space:
    return Space(OverridesParser.create().parse_overrides(list(typed)))


def searching(
    folder: Path,
    *axes: str,
    result: Callable[[SweepJob], float | None] = loss_of,
    launcher: dict[str, int] | None = None,
    **settings: Any,
) -> tuple[Search, InstantSweep]:
    """One process that has begun with a search in the folder, and its sweep."""
    instant = InstantSweep(folder, result, launcher or {})
    return Search(instant, space(*axes), SearchSettings(**settings), InstantPlanner(), "one"), instant


def search(folder: Path, *axes: str, **arguments: Any) -> InstantSweep:
    """The same, run to its end."""
    one, instant = searching(folder, *axes, **arguments)
    one.run()
    return instant


def trials_of(folder: Path) -> list[FrozenTrial]:
    """The trials of the one search in the folder that count."""
    storage = open_journal(SweepFolder(folder).journal)
    (name,) = optuna.get_all_study_names(storage)
    return counted(optuna.load_study(study_name=name, storage=storage))


def told(folder: Path) -> list[tuple[Any, ...]]:
    """What came of the trials, in their order."""
    return [(one.state, one.params, one.value) for one in trials_of(folder)]


@pytest.fixture
def undisturbed(tmp_path: Path) -> list[tuple[Any, ...]]:
    """What came of a search that nothing disturbed."""
    search(tmp_path / "undisturbed", RATE, LAYERS, **SOON)
    return told(tmp_path / "undisturbed")


def test_a_search_tries_as_many_trials_as_its_budget_and_lists_each_job_once(tmp_path: Path) -> None:
    instant = search(tmp_path, RATE, LAYERS, **SOON)
    assert [one.state for one in trials_of(tmp_path)] == [TrialState.COMPLETE] * 7
    manifest = SweepFolder(tmp_path).read()
    assert [[job.folder] for job in manifest.jobs] == instant.batches
    assert manifest.axes == ["optimizer.lr", "model.layers"]
    about = {"study": "one", "monitor": "val/loss", "trials": 7, "minutes": None, "workers": 1, "sampler": "tpe"}
    assert manifest.search == about | {"sampler_seed": 0, "sampler_options": {"n_startup_trials": 3}}


def test_another_seed_of_the_sampler_tries_other_values(tmp_path: Path, undisturbed: list[tuple[Any, ...]]) -> None:
    search(tmp_path, RATE, LAYERS, sampler_seed=1, **SOON)
    assert told(tmp_path) != undisturbed


@pytest.mark.parametrize("before", [0, 2, 5])
def test_a_search_that_is_killed_goes_on_as_if_it_had_not_been(
    tmp_path: Path, undisturbed: list[tuple[Any, ...]], before: int
) -> None:
    def killed(job: SweepJob) -> float | None:
        if len(instant.batches) > before:
            raise Killed
        return loss_of(job)

    one, instant = searching(tmp_path, RATE, LAYERS, result=killed, **SOON)
    with pytest.raises(Killed):
        one.run()
    assert [state for state, _, _ in told(tmp_path)] == [TrialState.COMPLETE] * before + [TrialState.RUNNING]
    again = search(tmp_path, RATE, LAYERS, **SOON)
    assert told(tmp_path) == undisturbed
    assert again.batches[0] == instant.batches[-1]


def test_a_trial_whose_process_died_while_values_were_chosen_does_not_count(
    tmp_path: Path, undisturbed: list[tuple[Any, ...]]
) -> None:
    one, _ = searching(tmp_path, RATE, LAYERS, **SOON)
    one.study.ask({"optimizer.lr": one.space.distributions["optimizer.lr"]})
    one.run()
    assert told(tmp_path) == undisturbed


def test_processes_share_one_search_and_its_budget(tmp_path: Path, capsys: Capture) -> None:
    def meanwhile(job: SweepJob) -> float | None:
        if other.elsewhere is None:
            second.run()
        return loss_of(job)

    first, instant = searching(tmp_path, RATE, result=meanwhile, trials=5)
    second, other = searching(tmp_path, RATE, trials=5)
    first.run()
    assert [one.state for one in trials_of(tmp_path)] == [TrialState.COMPLETE] * 5
    assert (len(instant.batches), len(other.batches)) == (1, 4)
    assert other.elsewhere == instant.batches[0]
    assert instant.elsewhere == []
    assert "Still running in another process, which will report again: 1 trial." in capsys.readouterr().out
    assert len(SweepFolder(tmp_path).read().jobs) == 5


def test_a_larger_budget_goes_on_with_the_same_search(tmp_path: Path, capsys: Capture) -> None:
    search(tmp_path, RATE, trials=2)
    instant = search(tmp_path, RATE, trials=3)
    assert "Finished before: 2 trials." in capsys.readouterr().out
    assert len(instant.batches) == 1
    assert len(trials_of(tmp_path)) == 3


@pytest.mark.parametrize("sampler", ["grid", "brute_force", "BruteForceSampler"])
def test_a_finite_space_ends_when_every_combination_was_tried(tmp_path: Path, sampler: str, capsys: Capture) -> None:
    instant = search(tmp_path, LAYERS, "loss=1,2", sampler=sampler, trials=50)
    assert "all combinations were tried (6)" in capsys.readouterr().out
    assert len(trials_of(tmp_path)) == len({tuple(batch) for batch in instant.batches}) == 6


@pytest.mark.parametrize("sampler", ["tpe", "TPESampler", "random", "qmc", "QMCSampler"])
def test_no_sampler_has_the_same_values_computed_twice(tmp_path: Path, sampler: str) -> None:
    instant = search(tmp_path, LAYERS, sampler=sampler, trials=12)
    assert len(instant.batches) == len({tuple(batch) for batch in instant.batches}) <= 3
    known = [one for one in trials_of(tmp_path) if "reused" in one.user_attrs]
    assert len(known) == len(trials_of(tmp_path)) - len(instant.batches)


def test_a_finished_job_is_told_at_once(tmp_path: Path, capsys: Capture) -> None:
    for layers in (1, 2, 3):
        finish(SweepFolder(tmp_path).run(InstantPlanner().plan([f"model.layers={layers}"]).job), layers)
    assert search(tmp_path, LAYERS, sampler="grid").batches == []
    assert sorted(one.value or 0 for one in trials_of(tmp_path)) == [1, 2, 3]
    assert capsys.readouterr().out.count("its run was there before") == 3


def test_workers_make_a_batch(tmp_path: Path) -> None:
    assert [len(batch) for batch in search(tmp_path, RATE, workers=3, trials=7).batches] == [3, 3, 1]


@pytest.mark.parametrize(
    ("launcher", "workers"),
    [({}, 1), ({"n_jobs": 2}, 2), ({"n_jobs": -1}, len(os.sched_getaffinity(0))), ({"array_parallelism": 4}, 4)],
)
def test_there_are_as_many_workers_as_the_launcher_runs_jobs(
    tmp_path: Path, launcher: dict[str, int], workers: int
) -> None:
    assert searching(tmp_path, RATE, launcher=launcher)[0].workers == workers


def test_a_trial_that_fails_is_told_so_and_the_others_go_on(tmp_path: Path) -> None:
    def result(job: SweepJob) -> float | None:
        if job.overrides == ["model.layers=2"]:
            run_folder = SweepFolder(tmp_path).run(job)
            run_folder.path.mkdir(parents=True)
            run_folder.failure.write_text('{"error": "out of memory"}', encoding="utf-8")
        return loss_of(job) if job.overrides == ["model.layers=3"] else None

    search(tmp_path, "model.layers=range(0,4)", result=result, sampler="grid")
    found = {one.params["model.layers"]: one for one in trials_of(tmp_path)}
    assert {layers: one.user_attrs.get("error") for layers, one in found.items()} == {
        0: "model.layers=0: must be 1 or more",
        1: "did not finish",
        2: "out of memory",
        3: None,
    }
    assert [found[layers].state for layers in range(4)] == [TrialState.FAIL] * 3 + [TrialState.COMPLETE]
    assert len(SweepFolder(tmp_path).read().jobs) == 3


@pytest.mark.usefixtures("open_files_stay")
def test_a_search_removes_its_locks_where_open_files_cannot_be_removed(tmp_path: Path) -> None:
    search(tmp_path, RATE, trials=3)
    assert len(trials_of(tmp_path)) == 3
    assert [path.name for path in tmp_path.glob(".*.lock")] == [".search.lock"]


def test_a_loss_that_is_not_a_number_is_the_worst(tmp_path: Path) -> None:
    search(tmp_path, RATE, result=lambda _: math.nan, trials=1)
    assert trials_of(tmp_path)[0].value == math.inf


def test_minutes_end_a_search_without_a_number_of_trials(tmp_path: Path, capsys: Capture) -> None:
    def result(job: SweepJob) -> float | None:
        if len(instant.batches) == 2:
            one.deadline -= 60 * 30
        return loss_of(job)

    one, instant = searching(tmp_path, RATE, result=result, trials=None, minutes=30)
    assert one.deadline == pytest.approx(time.monotonic() + 60 * 30, abs=60)
    one.run()
    assert len(trials_of(tmp_path)) == 2
    assert "The search ends: hydra.sweeper.minutes=30 are over." in capsys.readouterr().out


def test_a_stopped_search_says_how_far_it_came_and_how_to_go_on(tmp_path: Path, capsys: Capture) -> None:
    def stopped(job: SweepJob) -> float | None:
        if len(instant.batches) > 2:
            raise KeyboardInterrupt
        return loss_of(job)

    one, instant = searching(tmp_path, RATE, result=stopped, trials=99)
    with sigterm_as_interrupt(), pytest.raises(SystemExit, match="130"):
        one.run()
    out = capsys.readouterr().out
    assert "Interrupted with 2 of 99 jobs done" in out
    assert "train --resume" in out.partition("Go on:")[2]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"sampler": "tpee"}, "must be bruteforce, cmaes, gp, grid, .*; did you mean 'tpe'"),
        ({"sampler": "grid"}, "hydra.sweeper.sampler=grid: an interval has no list of values"),
        ({"sampler_options": {"n_startup": 3}}, "n_startup.*; its arguments are hydra.sweeper.sampler_options"),
        ({"trials": 0}, "hydra.sweeper.trials=0: must be 1 or more"),
        ({"trials": None}, "give hydra.sweeper.trials or hydra.sweeper.minutes"),
        ({"minutes": 0}, "hydra.sweeper.minutes=0: must be above 0"),
        ({"monitor": "val/acc"}, "must be val/loss or val/accuracy"),
        ({"trails": 3}, "hydra.sweeper.trails=3: there is no such key; did you mean 'trials'"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        SearchSettings.from_config(OmegaConf.create({"_target_": "x", "params": None} | keys)).check(space(RATE))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("axis", "said"), [("loss=bce,mse", "hydra.sweeper.monitor=val/accuracy"), ("seed=0,1", "luckiest seed")]
)
def test_an_axis_that_cannot_be_searched_is_refused(axis: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        SearchSettings().check(space(axis))


def test_a_sampler_whose_library_is_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"sampler=cmaes: cmaes is not installed; pip install cmaes"):
        SearchSettings(sampler="cmaes").check(space(RATE))


def command(capsys: Capture, folder: Path, *arguments: str) -> Result:
    """`imdbclf train -m hydra/sweeper=search` in this process."""
    return sweep(capsys, "hydra/sweeper=search", *arguments, folder=str(folder))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "hydra/sweeper=search: there is no axis to search"),
        ([RATE, "data.val_size=0"], "data.val_size=0: a search chooses on validation"),
        (["model.layers=range(0,3)"], "model.layers=0: must be 1 or more"),
    ],
)
def test_what_is_wrong_is_refused_before_there_is_a_folder(
    here: Path, quick: list[str], capsys: Capture, arguments: list[str], said: str
) -> None:
    result = command(capsys, here / "refused", *quick, *arguments)
    assert result.status == 2
    assert result.err.startswith(f"error: {said}")
    assert result.err.count("\n") == 1
    assert not (here / "refused").exists()


def test_without_optuna_the_extra_is_named(
    here: Path, quick: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    result = command(capsys, here / "refused", *quick, RATE)
    assert result.err.startswith("error: hydra/sweeper=search: Optuna is not installed; ")
    assert result.err.endswith(" -m pip install 'optuna>=5.0'\n")


@pytest.fixture(scope="session")
def searched(once: Once, quick: list[str], cache_folder: Path) -> Path:
    """The folder of a finished search of two trials; tests only read it."""
    arguments = ["hydra/sweeper=search", *quick, RATE, "hydra.sweeper.trials=2"]
    return once("searched", lambda folder: made(cache_folder, "train", "-m", *arguments, f"hydra.sweep.dir={folder}"))


def test_a_search_trains_its_trials_and_tells_their_validation_loss(searched: Path) -> None:
    folder = SweepFolder(searched)
    runs = {job.folder: folder.run(job) for job in folder.read().jobs}
    assert len(runs) == 2
    for one in trials_of(searched):
        metrics = json.loads(runs[one.user_attrs["job"]["folder"]].metrics.read_text(encoding="utf-8"))
        assert one.value == metrics["val/loss"]


def test_the_report_has_a_section_on_the_search(searched: Path) -> None:
    page = SweepFolder(searched).page.read_text(encoding="utf-8")
    assert "The search" in page
    assert "Confirm it over seeds: " in page
    assert (searched / "search.png").exists()


def test_another_space_in_the_same_folder_is_another_search(
    searched: Path, here: Path, quick: list[str], capsys: Capture
) -> None:
    folder = shutil.copytree(searched, here / "sweep")
    rate = trials_of(searched)[0].params["optimizer.lr"]
    before = times(folder)
    known = f"optimizer.lr={rate!r},{rate!r}"
    result = command(capsys, folder, *quick, known)
    assert result.status == 0, result.err
    assert "all combinations were tried (1)" in result.out
    assert len(optuna.get_all_study_names(open_journal(SweepFolder(folder).journal))) == 2
    assert times(folder) == before


def test_jobs_of_a_grid_are_not_computed_again(copy: Path, quick: list[str], capsys: Capture) -> None:
    before = times(copy)
    result = command(capsys, copy, *quick, "model.layers=range(1,3)", "loss=mse", "hydra.sweeper.sampler=grid")
    assert result.status == 0, result.err
    assert "all combinations were tried (2)" in result.out
    assert times(copy) == before


@pytest.mark.slow
def test_after_a_kill_the_same_command_goes_on(here: Path, quick: list[str], capsys: Capture) -> None:
    arguments = [*quick, "trainer.max_epochs=20", RATE, "hydra.sweeper.trials=3"]
    process = start("train", "-m", "hydra/sweeper=search", *arguments, "hydra.sweep.dir=sweep", cwd=here)

    def second_has_begun() -> bool:
        assert process.poll() is None, process.communicate()[0]
        return len(list(here.glob("sweep/runs/*/history.csv"))) == 1 and len(list(here.glob("sweep/runs/*"))) == 2

    wait_until(second_has_begun)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    killed = [one.params for one in trials_of(here / "sweep")]
    assert len(killed) == 2
    result = command(capsys, here / "sweep", *arguments)
    assert result.status == 0, result.err
    assert "Finished before: 1 trial." in result.out
    finished = trials_of(here / "sweep")
    assert [one.state for one in finished] == [TrialState.COMPLETE] * 3
    assert [one.params for one in finished][:2] == killed
    assert len(times(here / "sweep")) == 3


@pytest.mark.slow
def test_workers_of_another_launcher_run_a_batch(here: Path, quick: list[str], capsys: Capture) -> None:
    launcher = ["hydra/launcher=processes", "hydra.launcher.n_jobs=2", "hydra.sweeper.trials=3"]
    assert command(capsys, here / "sweep", *quick, RATE, *launcher).status == 0
    assert [one.state for one in trials_of(here / "sweep")] == [TrialState.COMPLETE] * 3
    assert SweepFolder(here / "sweep").read().search["workers"] == 2
