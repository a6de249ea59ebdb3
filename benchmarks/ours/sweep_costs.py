"""What the process of a sweep does for each job besides running it: planning, looking at folders, reporting."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode

from imdbclf.folders.sweep import Sweep, SweepFolder, SweepJob
from imdbclf.reports.sweep.page import write_sweep_report
from imdbclf.sweeps.plan import Planner
from imdbclf.sweeps.progress import Tally
from imdbclf.training.compose import CONFIGS, PRIMARY

WAITING = 10_000


def main(run: str, result: str, planned: str, reported: str) -> None:
    """Write the seconds a job of each.

    Args:
        run: the folder of a finished run.
        result: where the figures go.
        planned: how many jobs to plan.
        reported: how many jobs to report on, five seeds a configuration.
    """
    seconds = {
        "plan_seconds": plan_seconds(int(planned)),
        "look_seconds": look_seconds(WAITING),
        "report_seconds": report_seconds(Path(run), int(reported)),
    }
    Path(result).write_text(json.dumps(seconds), encoding="utf-8")


def plan_seconds(jobs: int) -> float:
    """Composing, checking and naming, as `imdbclf train -m sweep=lecture 'seed=range(…)'` does before its first job."""
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None  # noqa: S101 - inside the context it is there
        config = hydra.compose_config(PRIMARY, ["sweep=lecture"], run_mode=RunMode.MULTIRUN)
        planner = Planner(hydra.config_loader, config, ["model.layers", "seed"], SweepFolder(Path("planned")))
        started = time.perf_counter()
        for seed in range(jobs):
            planner.plan(["sweep=lecture", f"model.layers={1 + seed % 3}", f"seed={seed}"])
        return (time.perf_counter() - started) / jobs


def look_seconds(jobs: int) -> float:
    """One look at a job that is not done, as it is repeated while a sweep runs."""
    waiting = [SweepJob(f"layers-2_seed-{seed}_0123456789ab", [], {}) for seed in range(jobs)]
    tally = Tally(SweepFolder(Path("waiting")), waiting)
    started = time.perf_counter()
    tally.look()
    return (time.perf_counter() - started) / jobs


def report_seconds(run: Path, jobs: int) -> float:
    """The report on runs that all are copies of one, but for their choices and seeds."""
    folder = SweepFolder(Path("reported"))
    made = [
        SweepJob(f"run-{number}", [], {"optimizer.lr": number // 5 / 1000, "seed": number % 5})
        for number in range(jobs)
    ]
    for job in made:
        there = folder.run(job).path
        there.mkdir(parents=True)
        shutil.copyfile(run / "metrics.json", there / "metrics.json")
        shutil.copyfile(run / "history.csv", there / "history.csv")
    folder.write(Sweep("lecture", "imdbclf train -m", ["optimizer.lr", "seed"], made))
    started = time.perf_counter()
    write_sweep_report(folder)
    return (time.perf_counter() - started) / jobs


if __name__ == "__main__":
    main(*sys.argv[1:])
