"""The search: Optuna asks for jobs one batch at a time, and is told what came of them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from imdbclf.console import tell
from imdbclf.errors import UserError
from imdbclf.sweeps.plan import KEY_LENGTH, PlannedJob, Planner, axes_of, each_once
from imdbclf.sweeps.progress import Tally
from imdbclf.sweeps.run import Running

if TYPE_CHECKING:
    from imdbclf.sweeps.samplers import SeededSampler
    from imdbclf.sweeps.search_settings import SearchSettings
    from imdbclf.sweeps.space import Space
    from imdbclf.sweeps.trials import Claim, Trials


def sweep(running: Running) -> None:
    """Search until the budget is spent, and report on all trials.

    Args:
        running: who knows what was asked for, and runs jobs; `hydra.sweeper` of its config says how to search.

    Raises:
        UserError: for a wrong value anywhere, or jobs that failed.
    """
    _require_optuna()
    from imdbclf.sweeps.samplers import seeded_sampler  # noqa: PLC0415
    from imdbclf.sweeps.search_settings import SearchSettings  # noqa: PLC0415
    from imdbclf.sweeps.space import space_of  # noqa: PLC0415

    settings = SearchSettings.from_config(running.config.hydra.sweeper)
    overrides = running.overrides
    space = space_of(overrides)
    settings.check_axes(space)
    sampler = seeded_sampler(settings, space)
    axes = axes_of(overrides)
    running.begin(axes)
    planner = running.planner(axes)
    to_check = space.to_check()
    with running.checking(len(to_check)) as checked:
        planned = [checked(_validated(planner, space.overrides(values))) for values in to_check]
    name = study_name(space, settings, planned[0])
    Search(running, space, settings, sampler, planner, name).run()


def study_name(space: Space, settings: SearchSettings, first: PlannedJob) -> str:
    """The search's name: equal for equal spaces and monitors over the same experiment, reviews and package version."""
    what = [space.description, settings.monitor, first.job.folder[-KEY_LENGTH:]]
    return "search-" + hashlib.sha256(json.dumps(what).encode()).hexdigest()[:KEY_LENGTH]


class Search:
    """One process at work on a search."""

    def __init__(
        self,
        running: Running,
        space: Space,
        settings: SearchSettings,
        sampler: SeededSampler,
        planner: Planner,
        name: str,
    ) -> None:
        from imdbclf.sweeps.searchers import Searchers  # noqa: PLC0415
        from imdbclf.sweeps.trials import Trials  # noqa: PLC0415

        self.running, self.space, self.settings = running, space, settings
        folder = running.folder
        folder.path.mkdir(parents=True, exist_ok=True)
        self.searchers = Searchers(folder.path)
        with self.searchers.turn:
            self.trials: Trials = Trials(folder, name, space, settings, sampler, planner, self.searchers)
        self.workers = settings.workers or width(running.config.hydra.launcher)
        self._began = time.monotonic()

    def run(self) -> None:
        """Take trials, run and tell them, until the budget is spent; report."""
        tally = Tally(self.running.folder, [], total=self.settings.trials, monitor=self.settings.monitor)
        before = len(self.trials.counted(*_finished()))
        if before:
            tell(f"{before} trials were finished before.")
        tally.done_before = before
        with self.running.stoppable(tally), self.searchers.at_work():
            while claims := self._claims(tally):
                pending = each_once([claim.planned for claim in claims if claim.planned is not None])
                tally.expect([planned.job for planned in pending])
                self.running.launch(pending, tally)
                for claim in claims:
                    self.trials.tell(claim)
            with self.searchers.turn:
                elsewhere = self.trials.at_work_elsewhere
                tell(self._why_it_ends())
                if elsewhere:
                    tell(f"{len(elsewhere)} of them are at work in another process, which will report again.")
                self._write()
                self.running.report(elsewhere)

    def _claims(self, tally: Tally) -> list[Claim]:
        """The next batch. What is known already is told at once, and the next one asked for."""
        claims: list[Claim] = []
        with self.searchers.turn:
            while len(claims) < self.workers and not self._is_time_up:
                claim = self.trials.next()
                if claim is None:
                    break
                if self.trials.known_result(claim):
                    result = self.trials.tell(claim, reused=True)
                    tell(f"trial {claim.number}: {claim.job.folder}: as before, {result}")
                else:
                    claims.append(claim)
            self._write()
            tally.finished = len(self.trials.counted(*_finished()))
        return claims

    @property
    def _is_time_up(self) -> bool:
        minutes = self.settings.minutes
        return minutes is not None and time.monotonic() - self._began > 60 * minutes

    def _why_it_ends(self) -> str:
        if self._is_time_up:
            return f"The search ends: hydra.sweeper.minutes={self.settings.minutes:g} are over."
        if self.trials.is_exhausted:
            return f"The search ends: all {self.space.size:,} combinations were tried."
        return f"The search ends: hydra.sweeper.trials={self.settings.trials} are done or taken."

    def _write(self) -> None:
        """Write down which jobs the search has so far, and how it goes."""
        self.running.ask(list(self.space.axes), self.trials.jobs, self._description())

    def _description(self) -> dict[str, Any]:
        from imdbclf.sweeps.trials import counts  # noqa: PLC0415

        names = (
            "monitor",
            "sampler",
            "sampler_options",
            "sampler_seed",
            "trials",
            "minutes",
            "workers",
        )
        settings = {name: getattr(self.settings, name) for name in names} | {"workers": self.workers}
        return {"study": self.trials.name, **settings, "outcomes": counts(self.trials.counted())}


def width(launcher: DictConfig) -> int:
    """How many jobs a launcher runs side by side, as far as its config says."""
    jobs = launcher.get("n_jobs") or launcher.get("array_parallelism") or 1
    # joblib counts from the end: -1 is as many as there are cores, -2 one less.
    return int(jobs) if jobs > 0 else max(1, _cores() + 1 + int(jobs))


def _cores() -> int:
    """How many this process may use; not every system says."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _finished() -> tuple[Any, ...]:
    from imdbclf.sweeps.trials import FINISHED  # noqa: PLC0415

    return FINISHED


def _validated(planner: Planner, overrides: Sequence[str]) -> PlannedJob:
    planned = planner.plan(overrides)
    if planned.settings.data.val_size == 0:
        msg = "data.val_size=0: a search chooses on validation, so it needs a validation part"
        raise UserError(msg)
    return planned


def _require_optuna() -> None:
    try:
        import optuna  # noqa: F401, PLC0415
    except ImportError as error:
        msg = "hydra/sweeper=search: Optuna is not installed; pip install 'imdbclf[search]'"
        raise UserError(msg) from error
