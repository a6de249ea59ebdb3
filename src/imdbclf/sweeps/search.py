"""The search: Optuna chooses the next jobs, the launcher runs them, and Optuna is told their results.

Several processes may work on one search: they read and write trials in turn, under one lock. A process that works on a
trial holds a lock for it, which the kernel frees when the process dies. The next process that finds a running trial
with a free lock tells Optuna that it failed, and has its values tried again.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

import filelock
import numpy as np
import optuna
from omegaconf import DictConfig, OmegaConf
from optuna.trial import Trial, TrialState
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imdbclf.console import tell
from imdbclf.errors import UserError, nearest, one_line
from imdbclf.folders.search_journal import ERROR, JOB, REUSED, counted, open_journal
from imdbclf.folders.sweep import REPEATED, SweepJob
from imdbclf.reports.labels import number_of
from imdbclf.setting_errors import explain
from imdbclf.storage import remove_lock
from imdbclf.sweeps.plan import KEY_LENGTH, PlannedJob, Planner, each_once
from imdbclf.sweeps.progress import Tally
from imdbclf.sweeps.run import SweepRun
from imdbclf.sweeps.space import Space

Count = Annotated[int, Field(ge=1)]

FINISHED = (TrialState.COMPLETE, TrialState.FAIL)

_SAMPLERS = {
    name.lower().removesuffix("sampler"): getattr(optuna.samplers, name)
    for name in optuna.samplers.__all__
    if name.endswith("Sampler") and not name.startswith(("Base", "PartialFixed"))
} | {"grid": optuna.samplers.BruteForceSampler}
"""Optuna's samplers by their lower-case names. Its GridSampler would need the space a second time, as an option."""


class SearchSettings(BaseModel):
    """The keys of `configs/hydra/sweeper/search.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    monitor: Literal["val/loss", "val/accuracy"] = "val/loss"
    trials: Count | None = 20
    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    workers: Count | None = None
    sampler: str = "tpe"
    sampler_options: dict[str, Any] = {}
    sampler_seed: Annotated[int, Field(ge=0)] = 0

    @classmethod
    def from_config(cls, sweeper: DictConfig) -> Self:
        """The sweeper's part of a config, validated: a `UserError` names the first thing that is wrong."""
        contents: Any = OmegaConf.to_container(sweeper, resolve=True)
        own = {key: value for key, value in contents.items() if key not in {"_target_", "params"}}
        try:
            return cls.model_validate(own)
        except ValidationError as error:
            raise UserError(f"hydra.sweeper.{explain(error, cls.model_fields)}") from error

    def check(self, space: Space) -> None:
        """Refuse a search without an end, a sampler that cannot be made, and axes that cannot be searched with it.

        Raises:
            UserError: naming the axis or the setting.
        """
        sampler, losses = make_sampler(self, 0), space.distributions.keys() & {"loss", "loss.name"}
        msg = None
        if self.trials is None and self.minutes is None:
            msg = "hydra.sweeper.trials=null: a search needs an end; give hydra.sweeper.trials or hydra.sweeper.minutes"
        elif repeated := [axis for axis in REPEATED if axis in space.distributions]:
            axis, one = repeated[0], repeated[0].rpartition(".")[2]
            because = f"the luckiest {one} is no better; search with one {one}, then repeat"
            msg = f"{axis}: cannot be searched, because {because}"
        elif losses and self.monitor == "val/loss":
            msg = f"{min(losses)}: losses of different kinds cannot be compared; use hydra.sweeper.monitor=val/accuracy"
        elif isinstance(sampler, optuna.samplers.BruteForceSampler) and math.isinf(space.size):
            msg = f"hydra.sweeper.sampler={self.sampler}: an interval has no list of values; use tpe or random"
        if msg:
            raise UserError(msg)


def make_sampler(settings: SearchSettings, place: int) -> optuna.samplers.BaseSampler:
    """The sampler for the trial at this place of the search.

    Each trial has its own, seeded by its place, so that a continued search draws what an undisturbed one would draw.

    Raises:
        UserError: if Optuna has no such sampler, or cannot make it with the options.
    """
    name, typed = settings.sampler.replace("_", "").lower().removesuffix("sampler"), f"sampler={settings.sampler}"
    if name not in _SAMPLERS:
        raise UserError(f"hydra.sweeper.{typed}: must be {', '.join(sorted(_SAMPLERS))}{nearest(name, _SAMPLERS)}")
    if name == "cmaes" and importlib.util.find_spec("cmaes") is None:
        raise UserError(f"hydra.sweeper.{typed}: cmaes is not installed; pip install cmaes")
    own_seed = int(np.random.SeedSequence([settings.sampler_seed, place]).generate_state(1)[0])
    # The points of a quasi-Monte Carlo sampler are one sequence, which its seed decides.
    seed = settings.sampler_seed if name == "qmc" else own_seed
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler: optuna.samplers.BaseSampler = _SAMPLERS[name](**settings.sampler_options, seed=seed)
    except (TypeError, ValueError) as error:
        msg = f"hydra.sweeper.{typed}: {one_line(error)}; its arguments are hydra.sweeper.sampler_options"
        raise UserError(msg) from error
    return sampler


def run_search(sweep: SweepRun) -> None:
    """Search until the budget is spent, and report on all trials.

    Raises:
        UserError: for a wrong value anywhere, or jobs that failed.
    """
    settings = SearchSettings.from_config(sweep.config.hydra.sweeper)
    space = Space(sweep.overrides)
    settings.check(space)
    planner = sweep.begin(list(space.distributions))
    planned = sweep.plan(planner, [space.overrides(values) for values in space.to_check()])
    if any(one.settings.data.val_size == 0 for one in planned):
        raise UserError("data.val_size=0: a search chooses on validation, so it needs a validation part")
    # Equal for equal spaces and monitors over the same experiment, reviews and package version.
    what = [space.description, settings.monitor, planned[0].job.folder[-KEY_LENGTH:]]
    name = "search-" + hashlib.sha256(json.dumps(what).encode()).hexdigest()[:KEY_LENGTH]
    Search(sweep, space, settings, planner, name).run()


class Search:
    """One process that works on a search; `name` is that of Optuna's study. A folder may hold several studies."""

    def __init__(self, sweep: SweepRun, space: Space, settings: SearchSettings, planner: Planner, name: str) -> None:
        self.sweep, self.space, self.settings, self.planner = sweep, space, settings, planner
        self.folder = sweep.folder
        self.folder.path.mkdir(parents=True, exist_ok=True)
        self.turn = filelock.FileLock(self.folder.path / ".search.lock")
        self.workers = settings.workers or _width(sweep.config.hydra.launcher)
        self.deadline = time.monotonic() + 60 * (settings.minutes or math.inf)
        with self.turn:
            self.study = optuna.create_study(
                storage=open_journal(self.folder.journal, self.turn),
                study_name=name,
                direction="minimize" if settings.monitor == "val/loss" else "maximize",
                load_if_exists=True,
            )

    def run(self) -> None:
        """Run batches of trials until the budget is spent; report."""
        with self.turn:
            self._write_manifest()
        self.sweep.announce()
        tally = Tally(self.folder, [], total=self.settings.trials, monitor=self.settings.monitor)
        tally.done_before = len(counted(self.study, *FINISHED))
        if tally.done_before:
            tell(f"Finished before: {number_of(tally.done_before, 'trial')}.")
        with self.sweep.stoppable(tally):
            while self._run_batch(tally):
                pass
            with self.turn:
                elsewhere = [trial.user_attrs[JOB]["folder"] for trial in counted(self.study, TrialState.RUNNING)]
                tell(f"The search ends: {self._reason_to_end()}.")
                if elsewhere:
                    running = number_of(len(elsewhere), "trial")
                    tell(f"Still running in another process, which will report again: {running}.")
                self._write_manifest()
                self.sweep.report(elsewhere)

    def _run_batch(self, tally: Tally) -> bool:
        """Run as many trials as there are workers, and tell Optuna their results; False if none may begin."""
        batch: list[tuple[Trial, PlannedJob]] = []
        with contextlib.ExitStack() as locks:
            with self.turn:
                self._retry_trials_of_dead_processes()
                while len(batch) < self.workers and not self._reason_to_end():
                    self.study.sampler = make_sampler(self.settings, len(counted(self.study)))
                    trial = self.study.ask({**self.space.distributions})
                    if planned := self._planned(trial):
                        locks.enter_context(self._working_on(trial.number))
                        batch.append((trial, planned))
                self._write_manifest()
                tally.finished = len(counted(self.study, *FINISHED))
            if not batch:
                return False
            jobs = each_once([planned for _, planned in batch])
            tally.expect([planned.job for planned in jobs])
            self.sweep.launch(jobs, tally)
            with self.turn:
                for trial, planned in batch:
                    self._tell(trial, planned.job)
        return True

    def _planned(self, trial: Trial) -> PlannedJob | None:
        """The trial's job; None if there is nothing to run, because it is not valid or its run is there already."""
        try:
            planned = self.planner.plan(self.space.overrides(trial.params))
        except UserError as error:
            trial.set_user_attr(ERROR, str(error))
            self._finish(trial.number)
            return None
        trial.set_user_attr(JOB, asdict(planned.job))
        if not self.sweep.is_done(planned.job):
            return planned
        trial.set_user_attr(REUSED, value=True)
        self._tell(trial, planned.job)
        tell(f"trial {trial.number}: {planned.job.folder}: its run was there before")
        return None

    def _tell(self, trial: Trial, job: SweepJob) -> None:
        """Tell Optuna what the trial's run has left; a loss that is not a number is the worst possible."""
        run = self.folder.run(job)
        if run.outcome == "done":
            value = float(json.loads(run.metrics.read_text(encoding="utf-8"))[self.settings.monitor])
            self._finish(trial.number, math.inf if math.isnan(value) else value)
        else:
            trial.set_user_attr(ERROR, run.error())
            self._finish(trial.number)

    def _finish(self, number: int, value: float | None = None) -> None:
        """Tell Optuna a trial's value; none if it failed."""
        # At the end of a finite space, BruteForceSampler stops `study.optimize`, which does not run here.
        with contextlib.suppress(RuntimeError):
            self.study.tell(number, value, TrialState.FAIL if value is None else None)

    def _retry_trials_of_dead_processes(self) -> None:
        for trial in counted(self.study, TrialState.RUNNING):
            with contextlib.suppress(filelock.Timeout), self._working_on(trial.number):
                self._finish(trial.number)
                # A process that died while values were chosen leaves only some of them.
                if trial.params.keys() == self.space.distributions.keys():
                    self.study.enqueue_trial(trial.params)

    @contextlib.contextmanager
    def _working_on(self, number: int) -> Iterator[None]:
        """Inside, other processes see that the trial's process lives; a `Timeout` is raised if another one's does."""
        path = self.folder.path / f".{self.study.study_name}-{number}.lock"
        with filelock.FileLock(path, timeout=0):
            yield
        remove_lock(path)

    def _reason_to_end(self) -> str:
        """Why no further trial begins; empty as long as one may."""
        trials = counted(self.study)
        if time.monotonic() > self.deadline:
            return f"hydra.sweeper.minutes={self.settings.minutes:g} are over"
        if len({tuple(sorted(trial.params.items())) for trial in trials}) >= self.space.size:
            return f"all combinations were tried ({self.space.size:,})"
        if self.settings.trials is not None and len(trials) >= self.settings.trials:
            return f"hydra.sweeper.trials={self.settings.trials} are done or taken"
        return ""

    def _write_manifest(self) -> None:
        """Write down the job of each trial, each job once, and how the search is done."""
        jobs = [SweepJob(**trial.user_attrs[JOB]) for trial in counted(self.study) if JOB in trial.user_attrs]
        search = {"study": self.study.study_name, **self.settings.model_dump(), "workers": self.workers}
        self.sweep.write_manifest([*self.space.distributions], list({job.folder: job for job in jobs}.values()), search)


def _width(launcher: DictConfig) -> int:
    """How many jobs a launcher runs at the same time, as far as its config says."""
    if launcher.get("n_jobs"):
        # Its config is in joblib's extra; joblib also knows what -1 means.
        return int(importlib.import_module("joblib").effective_n_jobs(launcher.n_jobs))
    return int(launcher.get("array_parallelism") or 1)
