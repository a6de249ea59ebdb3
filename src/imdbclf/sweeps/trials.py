"""The trials of a search: taken one by one, in turn with other processes, and told how they came out."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import optuna
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from optuna.trial import FrozenTrial, TrialState

from imdbclf.errors import UserError
from imdbclf.folders.journal import open_journal
from imdbclf.folders.run import RunFolder
from imdbclf.folders.sweep import SweepFolder, SweepJob
from imdbclf.sweeps.plan import PlannedJob, Planner
from imdbclf.sweeps.samplers import ABANDONED, SeededSampler
from imdbclf.sweeps.search_settings import SearchSettings
from imdbclf.sweeps.searchers import Searchers
from imdbclf.sweeps.space import Space
from imdbclf.training.compose import explain_composition

OWNER, JOB, ERROR, REUSED = "owner", "job", "error", "reused"
"""What is written down of a trial: who is at work on it, its job, why it failed, whether its run was there before."""

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


@dataclass(frozen=True)
class Claim:
    """A trial that this process has taken: its number, its job, and the plan for it where its run is not done yet."""

    number: int
    job: SweepJob
    planned: PlannedJob | None


class Trials:
    """The trials of one search, kept in the folder's journal.

    Searches of other spaces, monitors or experiments may live in the same folder: each is a study of its own.

    Args:
        folder: the sweep's; it exists.
        name: of the study.
        space: where the values come from.
        settings: how to search.
        sampler: who chooses values.
        planner: makes jobs of overrides.
        searchers: the processes at work.
    """

    def __init__(
        self,
        folder: SweepFolder,
        name: str,
        space: Space,
        settings: SearchSettings,
        sampler: SeededSampler,
        planner: Planner,
        searchers: Searchers,
    ) -> None:
        self.folder, self.name, self.space, self.settings = folder, name, space, settings
        self._planner, self._searchers = planner, searchers
        self._storage = open_journal(folder.journal)
        self.study = optuna.create_study(
            storage=self._storage,
            study_name=name,
            direction="minimize" if settings.is_loss else "maximize",
            sampler=sampler,
            load_if_exists=True,
        )

    def counted(self, *states: TrialState) -> list[FrozenTrial]:
        """The trials that count, in their order; only those in these states, if any are given."""
        trials = self.study.get_trials(deepcopy=False, states=states or None)
        return [trial for trial in trials if ABANDONED not in trial.user_attrs]

    @property
    def jobs(self) -> list[SweepJob]:
        """The job of each trial that has one, each once, in their order."""
        jobs = [SweepJob(**trial.user_attrs[JOB]) for trial in self.counted() if JOB in trial.user_attrs]
        return list({job.folder: job for job in reversed(jobs)}.values())[::-1]

    @property
    def at_work_elsewhere(self) -> list[str]:
        """The folders of trials that other processes are at work on."""
        running = self.counted(TrialState.RUNNING)
        return [trial.user_attrs[JOB]["folder"] for trial in running if JOB in trial.user_attrs]

    def next(self) -> Claim | None:
        """Take over a trial that a dead process left behind, else ask for a new one; None if the budget is spent.

        A trial whose job can't be composed or is not valid has failed, and None is not returned for it.
        """
        while True:
            number = self._left_behind()
            if number is None:
                if self.is_at_its_end:
                    return None
                number = self.study.ask(self.space.distributions).number
            self._write(number, OWNER, self._searchers.own)
            if claim := self._claimed(number):
                return claim

    @property
    def is_at_its_end(self) -> bool:
        """Whether all trials are taken, or all combinations tried or at work."""
        taken = self.counted()
        if self.settings.trials is not None and len(taken) >= self.settings.trials:
            return True
        return self.is_exhausted

    @property
    def is_exhausted(self) -> bool:
        """Whether every combination of a finite space was tried."""
        tried = self.counted(TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
        return self.space.size is not None and len({_values(trial) for trial in tried}) >= self.space.size

    def known_result(self, claim: Claim) -> bool:
        """Whether the trial's run is there already."""
        return self.folder.run(claim.job).outcome == "done"

    def tell(self, claim: Claim, *, reused: bool = False) -> str:
        """Tell Optuna how a trial came out, by what its run has left; in words for people."""
        run = self.folder.run(claim.job)
        if reused:
            self._write(claim.number, REUSED, value=True)
        if run.outcome == "done":
            value = monitored(run, self.settings.monitor)
            self.study.tell(claim.number, value)
            return f"{self.settings.monitor} {value:.4f}"
        reason = "did not finish"
        if run.outcome == "failed":
            reason = str(json.loads(run.failure.read_text(encoding="utf-8")).get("error"))
        self._fail(claim.number, reason)
        return f"failed: {reason}"

    def _left_behind(self) -> int | None:
        """The first trial of a process that is no more.

        One that died while values were chosen leaves a trial without all of them, which nobody can go on with.
        """
        for trial in self.counted(TrialState.RUNNING):
            owner = trial.user_attrs.get(OWNER)
            if owner is not None and self._searchers.is_alive(owner):
                continue
            if trial.params.keys() == self.space.distributions.keys():
                return trial.number
            self._write(trial.number, ABANDONED, value=True)
            self.study.tell(trial.number, state=TrialState.FAIL)
        return None

    def _claimed(self, number: int) -> Claim | None:
        trial = self.study.get_trials(deepcopy=False)[number]
        if (done := self._done_before(trial)) is not None:
            self._write(number, JOB, asdict(done))
            return Claim(number, done, None)
        try:
            planned = self._planner.plan(self.space.overrides(trial.params))
        except (UserError, HydraException, OmegaConfBaseException) as error:
            self._fail(number, str(explain_composition(error)))
            return None
        self._write(number, JOB, asdict(planned.job))
        return Claim(number, planned.job, planned)

    def _done_before(self, trial: FrozenTrial) -> SweepJob | None:
        """The job of an earlier trial with the same values whose run is still there; composing it again takes time."""
        for earlier in self.counted(TrialState.COMPLETE):
            if earlier.params == trial.params:
                job = SweepJob(**earlier.user_attrs[JOB])
                return job if self.folder.run(job).outcome == "done" else None
        return None

    def _fail(self, number: int, reason: str) -> None:
        self._write(number, ERROR, reason)
        self.study.tell(number, state=TrialState.FAIL)

    def _write(self, number: int, key: str, value: Any) -> None:
        self._storage.set_trial_user_attr(self._id(number), key, value)

    def _id(self, number: int) -> int:
        study = self._storage.get_study_id_from_name(self.name)
        return self._storage.get_trial_id_from_study_id_trial_number(study, number)


def monitored(run: RunFolder, monitor: str) -> float:
    """The figure of a finished run; a loss that is no number is as bad as can be.

    Raises:
        UserError: if the run has no such figure.
    """
    metrics = json.loads(run.metrics.read_text(encoding="utf-8"))
    if monitor not in metrics:
        msg = f"{run.path.name}: has no {monitor}; a search needs a validation part (data.val_size above 0)"
        raise UserError(msg)
    value = float(metrics[monitor])
    return value if not math.isnan(value) else math.inf


def _values(trial: FrozenTrial) -> tuple[Any, ...]:
    return tuple(sorted(trial.params.items()))


def counts(trials: Sequence[FrozenTrial]) -> dict[str, int]:
    """How many trials came out how."""
    states = {"done": TrialState.COMPLETE, "failed": TrialState.FAIL}
    found = {name: sum(trial.state is state for trial in trials) for name, state in states.items()}
    return found | {"reused": sum(REUSED in trial.user_attrs for trial in trials)}
