"""`make lecture-sweep`: the lecture's 36 networks over five seeds, run where it was interrupted, into docs/."""

from __future__ import annotations

import argparse
import datetime
import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.failing import failing_in_one_line
from benchmarks.lecture_sweep_page import Kept, write
from benchmarks.machine import machine, our_versions
from benchmarks.our_command import train_many_aloud
from benchmarks.paths import LECTURE_SWEEP, LECTURE_SWEEP_PAGE, ROOT
from benchmarks.workplace import reviews_folder
from imdbclf.errors import UserError
from imdbclf.folders.sweep import SweepFolder
from imdbclf.storage import write_json

ASKED = ("sweep=lecture", "seed=range(5)", "hydra/launcher=processes", "hydra.launcher.n_jobs=2")

FOLDER = Path("outputs") / "sweep_lecture"
"""Where `imdbclf train -m` puts it, and finds it again."""


def measure(folder: SweepFolder, overrides: Sequence[str]) -> dict[str, Any]:
    """Run the sweep, or go on with it, until all of its jobs are done.

    Args:
        folder: where the overrides have the sweep lie.
        overrides: those of the sweep.

    Returns:
        What to keep of it besides its table: date, command, seconds, machine, versions.

    Raises:
        UserError: if it ended before that.
    """
    # A sweep that was interrupted was so in attempts; who started it otherwise has left none.
    log = folder.path / "attempts.json"
    attempts = json.loads(log.read_text(encoding="utf-8"))["attempts"] if log.exists() else []
    before, started = _done(folder), time.perf_counter()
    try:
        status = train_many_aloud(*overrides)
    finally:
        if done := _done(folder) - before:
            attempts.append({"runs": sorted(done), "seconds": round(time.perf_counter() - started, 1)})
            write_json(log, {"attempts": attempts})
    if status != 0:
        msg = f"the sweep ended with status {status}; what is done stays done: run make lecture-sweep again"
        raise UserError(msg)
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "command": shlex.join(["imdbclf", "train", "-m", *overrides]),
        "attempts": timed(attempts, {job.folder for job in folder.read().jobs}),
        "machine": machine(),
        "versions": our_versions(),
    }


def timed(attempts: Sequence[dict[str, Any]], asked: set[str]) -> list[dict[str, float]]:
    """How many jobs each attempt finished in how many seconds; attempts at other jobs are left out."""
    ours = [attempt for attempt in attempts if asked.issuperset(attempt["runs"])]
    return [{"jobs": len(attempt["runs"]), "seconds": attempt["seconds"]} for attempt in ours]


def _done(folder: SweepFolder) -> set[str]:
    return {file.parent.name for file in folder.runs.glob("*/metrics.json")}


@failing_in_one_line
def main() -> None:
    """Run the sweep and write what it found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lecture_sweep", description=__doc__)
    parser.add_argument("--into", type=Path, help="a folder for sweep, table and page instead of outputs/ and docs/")
    parser.add_argument("overrides", nargs="*", help="what makes it another sweep, to try it out; needs --into")
    given = parser.parse_args()
    if given.overrides and not given.into:
        msg = f"{given.overrides[0]}: another sweep than the lecture's needs --into FOLDER"
        raise UserError(msg)
    reviews_folder()
    overrides, folder, kept = list(ASKED), SweepFolder(ROOT / FOLDER), Kept(LECTURE_SWEEP, LECTURE_SWEEP_PAGE)
    if given.into:
        into = given.into.absolute()
        folder = SweepFolder(into / FOLDER.name)
        overrides += [*given.overrides, f"hydra.sweep.dir={folder.path}"]
        kept = Kept(into / LECTURE_SWEEP.name, into / LECTURE_SWEEP_PAGE.name)
    kept.take(folder, measure(folder, overrides))
    write(kept)
    sys.stderr.write(f"Written: {kept.page}, {kept.table}\n")


if __name__ == "__main__":
    main()
