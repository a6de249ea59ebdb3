"""One sweep: where its folder is, running its jobs by Hydra's launcher, and the report; and the grid."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, read_write
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from imdbclf.console import console, program, shown_path, tell
from imdbclf.errors import UserError, one_line
from imdbclf.folders.sweep import SEED, Sweep, SweepFolder, SweepJob
from imdbclf.reports.sweep.job_table import damaged_file
from imdbclf.sweeps.plan import PlannedJob, Planner, combinations, each_once, key_of, parsed
from imdbclf.sweeps.progress import Tally, watched
from imdbclf.training.compose import (
    Refused,
    chosen_folder,
    folder_name,
    override,
    resume_command,
    short_key,
    with_known_name,
)
from imdbclf.training.process import stopping


class SweepRun:
    """One command that runs a sweep.

    `task` runs a job, `config` is the sweep's own, `arguments` are the overrides as typed.
    """

    def __init__(self, context: HydraContext, task: TaskFunction, config: DictConfig, arguments: Sequence[str]) -> None:
        self.context, self.task, self.config, self.arguments = context, task, config, list(arguments)
        HydraConfig.instance().set_config(config)
        self.experiment = str(config.experiment)
        self.sweep = str(config.hydra.runtime.choices.get("sweep", "none"))
        self.folder = SweepFolder(Path())
        typed = [*config.hydra.overrides.hydra, *config.hydra.overrides.task]
        as_typed = [text for text in typed if not text.startswith("hydra.mode=")]
        self.command = shlex.join([program(), "train", "-m", *as_typed])
        """The command that runs this sweep again."""
        self._launched = 0

    @property
    def overrides(self) -> list[Override]:
        """The axes of the config (`hydra.sweeper.params`) and the overrides as typed, which replace them."""
        params = [with_known_name(f"{key}={value}") for key, value in (self.config.hydra.sweeper.params or {}).items()]
        return parsed([*params, *self.arguments], self.context.config_loader)

    def begin(self, axes: Sequence[str]) -> Planner:
        """Choose the folder and send the jobs' messages to their own logs; return what composes the jobs."""
        hydra = self.config.hydra
        chosen = chosen_folder(self.config, "sweep")
        if not any(text.startswith("hydra.sweep.dir=") for text in hydra.overrides.hydra):
            own = [axis for axis in axes if axis != SEED and axis not in (hydra.sweeper.get("params") or {})]
            if self.sweep == "none" and SEED in axes and not own:
                # Otherwise `seed=0,1` and `sweep=lecture` of the experiment `lecture` would share a folder.
                own = [SEED]
            named = [chosen.name, *dict.fromkeys([self.sweep, self.experiment]), "-".join(map(short_key, own))]
            chosen = chosen.with_name(folder_name("_".join(name for name in named if name not in {"", "none"})))
        self.folder = SweepFolder(chosen.absolute())
        self.folder.check_usable()
        with read_write(hydra):
            hydra.sweep.dir = str(self.folder.path)
            hydra.overrides.hydra += [
                override("hydra.sweep.dir", str(self.folder.path)),
                "hydra.job_logging.root.handlers=[file]",
            ]
        return Planner(self.context.config_loader, self.config, axes, self.folder)

    def plan(self, planner: Planner, jobs: Sequence[Sequence[str]]) -> list[PlannedJob]:
        """Compose and validate jobs, with progress: it takes a tenth of a second per job. Errors: `Planner.plan`."""
        columns = (TextColumn("checking every job"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=console(), transient=True, disable=not console().is_terminal) as progress:
            return [planner.plan(job) for job in progress.track(jobs)]

    def write_manifest(self, axes: list[str], jobs: list[SweepJob], search: dict[str, Any]) -> None:
        """Write `sweep.json`."""
        self.folder.write(Sweep(self.experiment, self.command, axes, jobs, search, self.sweep))

    def announce(self) -> None:
        """Say where the sweep is, and how to go on with it, before anything can stop it."""
        path = self.folder.path
        tell(f"Folder: {shown_path(path)} (if the sweep is stopped, go on with: {resume_command(path)})")

    def is_done(self, job: SweepJob) -> bool:
        """Whether the job has run. One whose files are damaged, which is said, has to run again."""
        run = self.folder.run(job)
        if run.outcome == "done" and (damaged := damaged_file(run)):
            tell(f"{shown_path(damaged)}: is damaged; the job is done again.")
            run.metrics.unlink()
        return run.outcome == "done"

    def launch(self, jobs: Sequence[PlannedJob], tally: Tally) -> None:
        """Run jobs and watch them: in this process one by one; by other launchers all at once, composed there again.

        Raises:
            UserError: for the first failure, if `fail_fast` was asked for.
        """
        context, batches = self.context, [jobs] if jobs else []
        if self.config.hydra.runtime.choices["hydra/launcher"] == "basic":
            # Composing takes 0.1 s per job, and these are composed already.
            configs = {tuple(planned.launch_overrides): planned.config for planned in jobs}
            loader: Any = SimpleNamespace(load_sweep_config=lambda _, overrides: configs.pop(tuple(overrides)))
            context, batches = HydraContext(loader, self.context.callbacks), [[planned] for planned in jobs]
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=context, task_function=self.task, config=self.config
        )
        try:
            with watched(tally):
                for batch in batches:
                    launcher.launch([planned.launch_overrides for planned in batch], self._launched)
                    self._launched += len(batch)
        except Refused as refused:
            raise refused.error from refused

    @contextmanager
    def stoppable(self, tally: Tally) -> Iterator[None]:
        """Inside, Ctrl-C and SIGTERM exit with the number of finished jobs and the command that continues."""
        try:
            yield
        except KeyboardInterrupt as event:
            stop = stopping()
            of = "" if tally.total is None else f" of {tally.total}"
            done = tally.finished - tally.failed
            tell(f"\nInterrupted with {done}{of} jobs done in {shown_path(self.folder.path)}.")
            tell(f"Go on:    {resume_command(self.folder.path)}")
            raise stop from event

    def report(self, elsewhere: Collection[str] = ()) -> None:
        """Write the report into the folder, and print it; `elsewhere` are jobs that run in another process.

        Raises:
            UserError: if jobs failed or did not finish.
        """
        from imdbclf.reports.sweep.report import print_sweep, write_sweep_report  # noqa: PLC0415

        print_sweep(write_sweep_report(self.folder))
        own = [job for job in self.folder.read().jobs if job.folder not in elsewhere]
        if missing := sum(self.folder.run(job).outcome != "done" for job in own):
            logs = f"{shown_path(self.folder.runs)}/…/train.log"
            raise UserError(f"{missing} of {len(own)} jobs failed or did not finish; the reasons are in {logs}")


def run_grid(sweep: SweepRun) -> None:
    """Plan every combination of the axes' values, run the jobs that are not done, and report on all.

    Raises:
        UserError: for a wrong value anywhere in the grid, an empty grid, or jobs that failed.
    """
    axes = [key_of(one) for one in sweep.overrides if one.is_sweep_override()]
    jobs = combinations(sweep.overrides)
    planned = sweep.plan(sweep.begin(axes), jobs)
    once = each_once(planned)
    if len(once) < len(planned):
        tell(f"{len(planned) - len(once)} of {len(planned)} jobs compute what another one does; each is run once.")
    sweep.write_manifest(axes, [one.job for one in once], {})
    sweep.announce()
    pending = [one for one in once if not sweep.is_done(one.job)]
    if len(pending) < len(once):
        tell(f"{len(once) - len(pending)} of {len(once)} jobs were done before.")
    # Jobs with the same reviews and batches run one after the other.
    pending.sort(key=lambda one: (one.settings.data.model_dump_json(), one.settings.seed))
    tally = Tally(sweep.folder, [one.job for one in once])
    try:
        with sweep.stoppable(tally):
            sweep.launch(pending, tally)
    except UserError:
        raise
    except Exception as error:
        # Launchers raise errors of many kinds; the jobs that are done are reported all the same.
        tell(f"The launcher gave up ({type(error).__name__}: {one_line(error)[:200]}).")
        tell(f"Go on:    {resume_command(sweep.folder.path)}")
    sweep.report()
