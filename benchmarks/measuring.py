"""The measuring itself: every run side by side, repetition after repetition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.results import Comparison, Versions
from benchmarks.rows import ROWS
from benchmarks.runs import RUNS, Observation
from benchmarks.workplace import Workplace
from imdbclf.errors import UserError

Seen = dict[str, list[Observation]]
"""What each run yielded, one observation a time."""


def schedule(rows: Sequence[str], repeat: int, *, quick: bool = False) -> list[str]:
    """The runs in the order in which they are done: all that the rows need, again and again.

    Every repetition has each of them once, so that a machine that slows down or speeds up does so for all; short ones
    follow some more times, unless it is to be quick.
    """
    needed = {run for row in rows for run in ROWS[row].runs}
    rounds = max((1 if quick else RUNS[run].rounds for run in needed), default=0)
    once = [name for turn in range(rounds) for name, run in RUNS.items() if name in needed and run.rounds > turn]
    return once * repeat


def measure(place: Workplace, runs: Sequence[str], step: Callable[[str], None]) -> Seen:
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
    """The rows that follow from what was seen."""
    found = {}
    for name in rows:
        row = ROWS[name]
        ours, peer = (
            [round(each.quantities[quantity], 6) for each in seen[run]] for run, quantity in (row.ours, row.peer)
        )
        commands = [seen[run][0].command for run in dict.fromkeys(row.runs)]
        found[name] = Comparison(date, ours, peer, commands, versions)
    return found


def check_same_encoding(ours: dict[str, Any], peer: dict[str, Any]) -> None:
    """See that both sides did the same work.

    Raises:
        UserError: if the words differ beyond ties of the rarest, or, where they are the same, the number of ones.
    """
    different = set(ours["words"]) ^ set(peer["words"])
    if stray := different - set(ours["rarest"]):
        msg = f"encode: the two sides have other words, for example {sorted(stray)[:3]}"
        raise UserError(msg)
    # Words that tie occur about equally often, in about as many reviews.
    if abs(ours["ones"] - peer["ones"]) > len(different) * max(ours["rarest_count"], 1):
        msg = f"encode: the two sides have {ours['ones']:,} and {peer['ones']:,} ones"
        raise UserError(msg)
