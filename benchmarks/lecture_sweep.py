"""`make lecture-sweep`: the lecture's 36 networks over 25 seeds, continued where it was interrupted.

What is kept of it: its table (`sweep.csv`) as benchmarks/lecture_sweep.csv, its plots in docs/, and a JSON file beside
the table with how it was run and the hashes of table and plots, so that a file of another sweep is noticed.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import time
from pathlib import Path
from typing import Any

from benchmarks.command import MEASURED, ROOT, ending_in_one_line, reviews_folder, run_sweep, say
from benchmarks.machine import machine, our_versions, require_linux, today
from imdbclf.errors import UserError
from imdbclf.folders.sweep import SweepFolder
from imdbclf.storage import atomic_write, write_json

SWEEP = ("sweep=lecture", "seed=range(25)", "hydra/launcher=processes", "hydra.launcher.n_jobs=2")
FOLDER = Path("outputs") / "sweep_lecture"
"""Where `imdbclf train -m` puts it, and finds it again."""

FINISHED = "*/metrics.json"
PLOTS = ("effects", "curves", "cost")
"""The plots of the report that the page shows."""


def measure(folder: SweepFolder) -> dict[str, Any]:
    """Run the sweep, or continue it, until all of its jobs are done.

    Returns:
        How it was run: date, command, jobs and seconds of this attempt, machine, versions.

    Raises:
        UserError: if it fails or stops before that.
    """
    before, started = len(list(folder.runs.glob(FINISHED))), time.perf_counter()
    if status := run_sweep(*SWEEP):
        msg = f"the sweep ended with status {status}; finished runs are kept: run make lecture-sweep again"
        raise UserError(msg)
    jobs, seconds = len(list(folder.runs.glob(FINISHED))) - before, round(time.perf_counter() - started, 1)
    return {
        "date": today(),
        "command": shlex.join(["imdbclf", "train", "-m", *SWEEP]),
        "attempts": [{"jobs": jobs, "seconds": seconds}],
        "machine": machine(),
        "versions": our_versions(),
    }


def keep(folder: SweepFolder, about: dict[str, Any], measured: Path, docs: Path) -> None:
    """Copy table and plots of a finished sweep, and write how it was run and their hashes."""
    copies = {measured / "lecture_sweep.csv": folder.table}
    copies |= {docs / f"lecture-sweep-{name}.png": folder.path / f"{name}.png" for name in PLOTS}
    for target, source in copies.items():
        with atomic_write(target) as aside:
            shutil.copyfile(source, aside)
    hashes = {target.name: hashlib.sha256(target.read_bytes()).hexdigest() for target in copies}
    write_json(measured / "lecture_sweep.json", {**about, "sha256": hashes})


@ending_in_one_line
def main() -> None:
    """Run the sweep and keep what the page shows."""
    require_linux()
    reviews_folder()
    folder = SweepFolder(ROOT / FOLDER)
    keep(folder, measure(folder), MEASURED, ROOT / "docs")
    say("Written: benchmarks/lecture_sweep.csv")


if __name__ == "__main__":
    main()
