"""The progress of a sweep, read from its folders: it does not matter which launcher runs the jobs, and where."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from imdbclf.console import console, tell
from imdbclf.folders.run import Outcome, RunFolder
from imdbclf.folders.sweep import SweepFolder, SweepJob

SECONDS_BETWEEN_LOOKS = 0.3

CLOCK_GRAIN = 0.05
"""Seconds by which a file can seem older than it is, because the kernel's clock for files is coarse."""

RANKED_BY = "val/accuracy"
"""Accuracies can be compared; losses of different kinds cannot."""


class Tally:
    """The state of the jobs: how many are done, failed and running, the best one, and the time left.

    Args:
        folder: the sweep's.
        jobs: all jobs; those that are done already count as done before. A search begins without jobs.
        total: the number of jobs if `jobs` is empty; None if it is not known.
        monitor: the metric that is shown for each job and decides which is the best.
    """

    def __init__(
        self, folder: SweepFolder, jobs: Sequence[SweepJob], *, total: int | None = None, monitor: str = RANKED_BY
    ) -> None:
        self.folder, self.monitor = folder, monitor
        self.total: int | None = len(jobs) or total
        self.finished, self.failed, self.running = 0, 0, 0
        self.best: tuple[float, str] | None = None
        self.began = time.time()
        self._waiting: dict[str, RunFolder] = {}
        self.expect(jobs)
        for name, run in list(self._waiting.items()):
            if run.outcome == "done":
                self._take(name, run, "done")
        self.done_before = self.finished

    def expect(self, jobs: Sequence[SweepJob]) -> None:
        """Watch these jobs too."""
        self._waiting |= {job.folder: self.folder.run(job) for job in jobs}

    def look(self) -> list[str]:
        """Read what has changed since the last look; return a line for each job that has ended."""
        lines, self.running = [], 0
        for name, run in list(self._waiting.items()):
            outcome = run.outcome
            if outcome == "unfinished" or not self._is_of_now(run, outcome):
                self.running += _time_of(run.config) > self.began - CLOCK_GRAIN
                continue
            result = self._take(name, run, outcome)
            of = "" if self.total is None else f"/{self.total}"
            lines.append(f"[{self.finished}{of}] {name}: {result}")
        return lines

    def summary(self) -> str:
        """One line: running, failed, time left and the best so far."""
        parts = [f"{self.running} running"] if self.running else []
        parts += [f"{self.failed} failed"] if self.failed else []
        if (seconds := self.seconds_left()) is not None:
            parts.append(f"about {_duration(seconds)} left")
        if self.best:
            parts.append(f"best so far {self.best[0]:.4f} ({self.best[1]})")
        return "; ".join(parts)

    def seconds_left(self) -> float | None:
        """Estimated from the jobs so far; None before the first job has ended and after the last."""
        finished_now, left = self.finished - self.done_before, (self.total or 0) - self.finished
        return (time.time() - self.began) / finished_now * left if finished_now and left > 0 else None

    def _is_of_now(self, run: RunFolder, outcome: Outcome) -> bool:
        """Whether a failure is of this command; a job that failed earlier is tried again."""
        return outcome == "done" or _time_of(run.failure) > self.began - CLOCK_GRAIN

    def _take(self, name: str, run: RunFolder, outcome: Outcome) -> str:
        """Count a job that has ended, and return its result in words."""
        del self._waiting[name]
        self.finished += 1
        return self._result(name, run, outcome)

    def _result(self, name: str, run: RunFolder, outcome: Outcome) -> str:
        if outcome != "done":
            self.failed += 1
            return f"failed: {json.loads(run.failure.read_text(encoding='utf-8')).get('error')}"
        metrics = json.loads(run.metrics.read_text(encoding="utf-8"))
        if self.monitor not in metrics:
            return "done"
        value = float(metrics[self.monitor])
        if self.best is None or self._is_better(value, self.best[0]):
            self.best = (value, name)
        return f"validation {self.monitor.removeprefix('val/')} {value:.4f} in epoch {metrics['best_epoch']}"

    def _is_better(self, value: float, other: float) -> bool:
        return value < other if self.monitor.endswith("loss") else value > other


class Watch:
    """A thread that reads the folders while jobs run: it prints a line per finished job, on a terminal also a bar."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        columns = (TextColumn("sweep"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=console(), transient=True, disable=not console().is_terminal)
        self._task = self._bar.add_task("", total=self.tally.total)

    def __enter__(self) -> Watch:
        self._bar.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()
        self._bar.stop()

    def _look_on(self) -> None:
        pause = SECONDS_BETWEEN_LOOKS
        while not self._over.wait(pause):
            began = time.perf_counter()
            self._look()
            # Ten thousand folders on a network drive take long to read.
            pause = max(SECONDS_BETWEEN_LOOKS, 10 * (time.perf_counter() - began))

    def _look(self) -> None:
        for line in self.tally.look():
            tell(line if console().is_terminal else f"{line}; {self.tally.summary()}")
        self._bar.update(self._task, completed=self.tally.finished, description=self.tally.summary())


def _time_of(file: Path) -> float:
    """When the file was written; 0 if there is none."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _duration(seconds: float) -> str:
    """A duration in words."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
