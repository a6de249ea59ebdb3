"""`make chaos`: runs and a sweep are stopped at random moments, gone on with, and compared with undisturbed ones.

A run of 20 epochs on the sample gets a signal at a random moment after it has printed its folder, and in half of the
cases another one when it goes on. Then the printed command runs until the end. A sweep of 12 jobs is killed several
times while its jobs run, and files of its jobs are damaged in between. Equal means: the same weights, history, metrics
and predictions, bit for bit, times excepted. The seed decides the moments; what they hit depends on the machine.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from benchmarks.command import ending_in_one_line, read_json, say
from imdbclf.errors import UserError
from imdbclf.folders.run import RunFolder
from imdbclf.folders.sweep import SweepFolder

FITS = {
    "lecture": [],
    "final fit": ["refit=true", "calibration=temperature", "model.dropout=0.2"],
}
"""The overrides of the runs; both have 20 epochs."""

SWEEP = ["model.layers=1,2,3", "seed=range(4)"]
RUN = [sys.executable, "-m", "imdbclf", "train", "data=sample", "trainer.max_epochs=20"]
LONGEST = 600
"""Seconds after which a command hangs."""

_GO_ON = re.compile(r"^Folder: .*go on with: (.*)\)$", re.MULTILINE)


class Command:
    """A command that has printed its folder and how to go on."""

    def __init__(self, arguments: Sequence[str], place: Path) -> None:
        self.log = place / "output.txt"
        with self.log.open("w", encoding="utf-8") as out:
            self.process = subprocess.Popen(arguments, cwd=place, stdout=out, stderr=subprocess.STDOUT)
        until = time.monotonic() + LONGEST
        while not (found := _GO_ON.search(self.said)) and self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        self.began = time.monotonic()
        self.go_on = shlex.split(found[1]) if found else []

    @property
    def said(self) -> str:
        """Its output so far."""
        return self.log.read_text(encoding="utf-8")

    def finish(self) -> float:
        """Let it run to its end; returns the seconds since it printed its folder.

        Raises:
            UserError: if it fails.
        """
        if self.process.wait(LONGEST) != 0:
            msg = f"{shlex.join(map(str, self.process.args))}: {self.said[-500:]}"  # type: ignore[arg-type]
            raise UserError(msg)
        return time.monotonic() - self.began

    def stop(self, by: signal.Signals, after: float) -> bool:
        """Send the signal `after` seconds from now; False if the command had ended before.

        Raises:
            UserError: if it ends with another status than that of the signal.
        """
        try:
            self.process.wait(after)
        except subprocess.TimeoutExpired:
            self.process.send_signal(by)
        # At its very end, the process has given up its handler.
        status = self.process.wait(LONGEST)
        if status not in {0, -by, 128 + by}:
            msg = f"ended with status {status} after {by.name}: {self.said[-500:]}"
            raise UserError(msg)
        return status != 0


def differences(one: Path, other: Path) -> list[str]:
    """What differs between two finished run folders, times excepted."""
    return [name for name, contents in _contents(one) if not _equal(contents, dict(_contents(other))[name])]


def _equal(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else bool(one == other)  # type: ignore[arg-type]


def _contents(path: Path) -> Iterator[tuple[str, object]]:
    run = RunFolder(path)
    for checkpoint in (run.best, run.last):
        yield checkpoint.name, torch.load(checkpoint, weights_only=True)["state_dict"]
    with run.history.open(encoding="utf-8", newline="") as stream:
        yield "history", [{**row, "seconds": ""} for row in csv.DictReader(stream)]
    yield "metrics", read_json(run.metrics) | {"fit_seconds": 0}
    yield "predictions", run.predictions.read_bytes()


def epoch_of(path: Path) -> str:
    """How far a stopped run has come."""
    run = RunFolder(path)
    if not run.last.exists():
        return "before its first checkpoint"
    epochs = torch.load(run.last, weights_only=True)["epoch"] + 1
    return "between two epochs' checkpoints" if epochs < 20 else "after its last epoch"  # noqa: PLR2004


def stopped_runs(place: Path, kills: int, chance: random.Random) -> int:
    """Stop `kills` runs by each signal; returns how many did not end as the undisturbed run."""
    seconds = {}
    for name, overrides in FITS.items():
        seconds[name] = Command([*RUN, *overrides, f"hydra.run.dir={name}"], place).finish()
        say(f"undisturbed: {name}, {seconds[name]:.1f} s")
    wrong, moments = 0, collections.Counter[str]()
    for number in range(2 * kills):
        by = (signal.SIGKILL, signal.SIGTERM)[number % 2]
        name = list(FITS)[number // 2 % len(FITS)]
        command, times = [*RUN, *FITS[name]], 1 + chance.randrange(2)
        folder = place / f"run-{number}"
        command.append(f"hydra.run.dir={folder.name}")
        hits = 0
        while hits < times:
            running = Command(command, place)
            if not running.stop(by, chance.uniform(0, seconds[name])):
                # It was faster than the undisturbed one.
                if hits:
                    break
                shutil.rmtree(folder)
                continue
            hits += 1
            moments[epoch_of(folder)] += 1
            command = running.go_on
        last = Command(running.go_on, place)
        last.process.wait(LONGEST)
        found = differences(folder, place / name) if last.process.returncode == 0 else [last.said[-300:]]
        wrong += bool(found)
        say(f"{number + 1}/{2 * kills} {by.name} {name}: {hits} stops; {', '.join(found) or 'equal'}")
    say(f"stopped {dict(moments)}")
    return wrong


def damage(sweep: SweepFolder, chance: random.Random) -> str:
    """Damage files of a random job as crashes and people do; of a finished job one that its sweep reads, at least."""
    run = RunFolder(chance.choice(sorted(sweep.runs.iterdir())))
    read = chance.choice([run.metrics, run.history])
    other = chance.choice([run.best, run.last, run.config, run.environment, run.failure, run.predictions])
    files = [file for file in (read, other) if file.exists()]
    if run.metrics.exists() and other in files:
        # So that the other file is noticed.
        files = [run.metrics, other]
    for file in files:
        contents = file.read_bytes()
        start = chance.randrange(max(1, len(contents)))
        zeroed = contents[:start] + bytes(len(contents[start : start + 4096])) + contents[start + 4096 :]
        file.write_bytes(chance.choice([b"", contents[: start // 2], b"[]", zeroed]))
    return f"{run.path.name[:18]}…: {', '.join(file.name for file in files) or 'nothing'}"


def stopped_sweep(place: Path, kills: int, chance: random.Random) -> int:
    """Kill a sweep `kills` times while its jobs run; returns how many jobs differ from those of the undisturbed one."""
    command = [*RUN[:4], "-m", *RUN[4:], *SWEEP]
    seconds = Command([*command, "hydra.sweep.dir=undisturbed"], place).finish()
    say(f"undisturbed: a sweep of 12 jobs, {seconds:.1f} s")
    command.append("hydra.sweep.dir=sweep")
    hits = 0
    while hits < kills:
        running = Command(command, place)
        command = running.go_on or command
        hit = running.stop(signal.SIGKILL, chance.uniform(0.1, 0.5) * seconds)
        hits += hit
        done = len(list(place.glob("sweep/runs/*/metrics.json")))
        # A sweep that ended has to have something to do again.
        damaged = [damage(SweepFolder(place / "sweep"), chance) for _ in range(1 if hit else 6)]
        say(f"{hits}/{kills} {'killed' if hit else 'ended'} with {done} jobs done; damaged {'; '.join(damaged)}")
    Command(command, place).finish()
    jobs = sorted(path.name for path in (place / "undisturbed/runs").iterdir())
    found = {job: differences(place / "sweep/runs" / job, place / "undisturbed/runs" / job) for job in jobs}
    say(json.dumps({job: parts for job, parts in found.items() if parts}) if any(found.values()) else "all jobs equal")
    return sum(map(bool, found.values()))


@ending_in_one_line
def main() -> None:
    """Stop what the command line asks for; status 1 if anything ended differently."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=25, help="stops of a run by each of SIGKILL and SIGTERM (25)")
    parser.add_argument("--sweep-kills", type=int, default=10, help="kills of the sweep (10)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10_000, help="of the moments (a new one)")
    given = parser.parse_args()
    say(f"seed {given.seed}")
    with tempfile.TemporaryDirectory(prefix="imdbclf-chaos-") as folder:
        os.environ["IMDBCLF_CACHE"] = f"{folder}/cache"
        chance = random.Random(given.seed)  # noqa: S311 - no secret
        runs = stopped_runs(Path(folder), given.kills, chance) if given.kills else 0
        jobs = stopped_sweep(Path(folder), given.sweep_kills, chance) if given.sweep_kills else 0
    sys.stdout.write(
        f"seed {given.seed}: {2 * given.kills - runs} of {2 * given.kills} stopped runs are equal; "
        f"{jobs} jobs of the sweep differ after {given.sweep_kills} kills\n"
    )
    sys.exit(bool(runs or jobs))


if __name__ == "__main__":
    main()
