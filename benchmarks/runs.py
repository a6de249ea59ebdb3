"""The runs (`runs.toml`): how each is measured, in which order, and the rows that follow from them."""

from __future__ import annotations

import shlex
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from benchmarks.command import MEASURED, Fixed, read_json
from benchmarks.rows import ROWS, Comparison
from benchmarks.scaling import Versions
from benchmarks.workplace import Ended, Workplace, own_metrics
from imdbclf.errors import UserError
from imdbclf.folders.sweep import SweepFolder


class Run(Fixed):
    """A measured process; `runs.toml` explains its keys."""

    title: str
    command: str
    needs: tuple[str, ...] = ("checkpoint",)
    rounds: int = 1
    terminal: bool = False
    kind: Literal["command", "empty_caches", "sweep", "two_fits"] = "command"

    def prepare(self, place: Workplace) -> None:
        """Make what it reads."""
        for name in self.needs:
            getattr(place, name)

    def words(self, place: Workplace) -> list[str]:
        """The command, word by word."""
        lists = {"EPOCHS": place.fewer_epochs, "SWEEP": [*place.extent.sweep_overrides]}
        words = [lists.get(word, [word.format(place=place)]) for word in shlex.split(self.command)]
        return [word for some in words for word in some]

    def measure(self, place: Workplace) -> Ended:
        """Run it once."""
        words = self.words(place)
        if self.kind == "empty_caches":
            with tempfile.TemporaryDirectory(dir=place.folder) as name:
                empty = Path(name)
                ended = place.measure(words, cache=empty / "cache", hub=empty / "hub", terminal=self.terminal)
            return replace(ended, command=f"IMDBCLF_CACHE=EMPTY/cache HF_HOME=EMPTY/hub {ended.command}")
        read = sweep_metrics if self.kind == "sweep" else own_metrics
        ended, jobs = place.measure(words, terminal=self.terminal, read=read), place.extent.sweep_jobs
        if self.kind == "sweep" and ended.result["jobs"] != jobs:
            msg = f"sweep: has {ended.result['jobs']} jobs; {jobs} are compared"
            raise UserError(msg)
        if self.kind == "sweep":
            return ended.with_metric("besides_seconds", ended.finished.seconds - ended.result["fits_seconds"])
        return ended.with_metric("sweep_seconds", projected(ended.result, jobs)) if self.kind == "two_fits" else ended


def sweep_metrics(folder: Path) -> dict[str, Any]:
    """The number of jobs of a finished sweep, and the seconds of their fits."""
    found = SweepFolder(folder / "sweep")
    metrics = [read_json(found.run(job).metrics) for job in found.read().jobs]
    return {"jobs": len(metrics), "fits_seconds": sum(each["fit_seconds"] for each in metrics)}


def projected(fits: Mapping[str, float], count: int) -> float:
    """Seconds of `count` fits in one process, from those of its first and its second."""
    return fits["first_fit_seconds"] + (count - 1) * fits["second_fit_seconds"]


RUNS = {
    name: Run.model_validate(run)
    for name, run in tomllib.loads((MEASURED / "runs.toml").read_text(encoding="utf-8")).items()
}

Seen = dict[str, list[Ended]]
"""What each run measured, each time it ran."""


def schedule(rows: Sequence[str], repeat: int, *, quick: bool = False) -> list[str]:
    """The runs in the order in which they are done.

    Every repetition has each run that the rows need once, so that a machine that slows down does so for all. Short ones
    follow some more times, unless it is to be quick.
    """
    needed = {run for row in rows for run in ROWS[row].runs}
    rounds = max((1 if quick else RUNS[run].rounds for run in needed), default=0)
    once = [name for turn in range(rounds) for name, run in RUNS.items() if name in needed and run.rounds > turn]
    return once * repeat


def measure_runs(place: Workplace, runs: Sequence[str], step: Callable[[str], None]) -> Seen:
    """Do the runs in their order; `step` is called with a title before each."""
    for run in dict.fromkeys(runs):
        step(f"preparing: {RUNS[run].title}")
        RUNS[run].prepare(place)
    seen: Seen = {run: [] for run in runs}
    for run in runs:
        step(RUNS[run].title)
        seen[run].append(RUNS[run].measure(place))
    if "encode" in seen and "sklearn_encode" in seen:
        for ours, peer in zip(seen["encode"], seen["sklearn_encode"], strict=True):
            check_same_encoding(ours.result, peer.result)
    return seen


def compared(rows: Sequence[str], seen: Seen, date: str, versions: Versions) -> dict[str, Comparison]:
    """The rows that follow from what was measured."""
    found = {}
    for name in rows:
        row = ROWS[name]
        ours, peer = (
            [round(each.metrics[side.quantity], 6) for each in seen[side.run]] for side in (row.ours, row.peer)
        )
        commands = [seen[run][0].command for run in dict.fromkeys(row.runs)]
        found[name] = Comparison(date=date, ours=ours, peer=peer, commands=commands, versions=versions)
    return found


def check_same_encoding(ours: dict[str, Any], peer: dict[str, Any]) -> None:
    """Check that both sides did the same work.

    Raises:
        UserError: if the words differ in more than ties of the rarest, or the number of ones by more than such ties.
    """
    different = set(ours["words"]) ^ set(peer["words"])
    if stray := different - set(ours["rarest"]):
        msg = f"encode: the two sides have other words, for example {sorted(stray)[:3]}"
        raise UserError(msg)
    # Words that tie occur about equally often, in about as many reviews.
    if abs(ours["ones"] - peer["ones"]) > len(different) * max(ours["rarest_count"], 1):
        msg = f"encode: the two sides have {ours['ones']:,} and {peer['ones']:,} ones"
        raise UserError(msg)
