"""The progress of a sweep, read from its folders: it does not matter which launcher runs the jobs, and where."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from operator import itemgetter
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

    `jobs` are all jobs, or none if a search begins, whose `total` may not be known. What is done already counts as done
    before. `monitor` is the metric that is shown for each job and decides which is the best.
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
        self.look()
        self.done_before = self.finished

    def expect(self, jobs: Sequence[SweepJob]) -> None:
        """Watch these jobs too."""
        self._waiting |= {job.folder: self.folder.run(job) for job in jobs}

    def look(self) -> list[str]:
        """Read what has changed since the last look; return a line for each job that has ended."""
        lines, self.running, since = [], 0, self.began - CLOCK_GRAIN
        for name, run in list(self._waiting.items()):
            outcome = run.outcome
            # A job that failed in an earlier command is tried again.
            if outcome == "unfinished" or (outcome == "failed" and _time_of(run.failure) <= since):
                self.running += _time_of(run.config) > since
                continue
            del self._waiting[name]
            self.finished += 1
            of = "" if self.total is None else f"/{self.total}"
            lines.append(f"[{self.finished}{of}] {name}: {self._result(name, run, outcome)}")
        return lines

    def summary(self) -> str:
        """One line: running, failed, time left and the best so far."""
        parts = [f"{self.running} running"] if self.running else []
        parts += [f"{self.failed} failed"] if self.failed else []
        if (seconds := self.seconds_left()) is not None:
            parts.append(f"about {timedelta(seconds=round(seconds))} left")
        if self.best:
            parts.append(f"best so far {self.best[0]:.4f} ({self.best[1]})")
        return "; ".join(parts)

    def seconds_left(self) -> float | None:
        """Estimated from the jobs so far; None before the first job has ended and after the last."""
        finished_now, left = self.finished - self.done_before, (self.total or 0) - self.finished
        return (time.time() - self.began) / finished_now * left if finished_now and left > 0 else None

    def _result(self, name: str, run: RunFolder, outcome: Outcome) -> str:
        """Count how the job ended, and say it."""
        if outcome == "failed":
            self.failed += 1
            return f"failed: {run.error()}"
        metrics = json.loads(run.metrics.read_text(encoding="utf-8"))
        if self.monitor not in metrics:
            return "done"
        value, better = float(metrics[self.monitor]), min if self.monitor.endswith("loss") else max
        self.best = better(self.best or (value, name), (value, name), key=itemgetter(0))
        return f"validation {self.monitor.removeprefix('val/')} {value:.4f} in epoch {metrics['best_epoch']}"


@contextmanager
def watched(tally: Tally) -> Iterator[None]:
    """Inside, a thread reads the folders: it prints a line per finished job, on a terminal also a bar."""
    columns = (TextColumn("sweep"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    over, terminal = threading.Event(), console().is_terminal
    with Progress(*columns, console=console(), transient=True, disable=not terminal) as bar:
        task = bar.add_task("", total=tally.total)

        def look() -> None:
            for line in tally.look():
                tell(line if terminal else "; ".join(filter(None, [line, tally.summary()])))
            bar.update(task, completed=tally.finished, description=tally.summary())

        def look_on() -> None:
            pause = SECONDS_BETWEEN_LOOKS
            while not over.wait(pause):
                began = time.perf_counter()
                look()
                # Ten thousand folders on a network drive take long to read.
                pause = max(SECONDS_BETWEEN_LOOKS, 10 * (time.perf_counter() - began))

        thread = threading.Thread(target=look_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            look()


def _time_of(file: Path) -> float:
    """When the file was written; 0 if there is none."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
