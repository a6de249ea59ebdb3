"""The rows (`rows.toml`): what is compared with what, which ratio is required, and how it is judged."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from statistics import median
from typing import Literal

from benchmarks.command import MEASURED, Fixed
from imdbclf.errors import UserError, nearest

SCALING = "scaling"
"""The row of the growing corpus, which `benchmarks.scaling` measures and judges."""


class Side(Fixed):
    """One side of a row: its name in the table, a run of `runs.toml`, and a quantity that the run measures."""

    name: str
    run: str
    quantity: str


class Row(Fixed):
    """Two sides, and how their medians are compared.

    `kind` is `times_less` (peer / ours, higher is better), `times_as_much` (ours / peer, lower is better), `fraction`
    (the same, in per cent), `seconds_more` (ours - peer, lower is better), or `reported` (peer / ours, no bound).
    """

    what: str
    ours: Side
    peer: Side
    unit: str
    kind: Literal["times_less", "times_as_much", "fraction", "seconds_more", "reported"]
    required: float | None = None
    goal: float | None = None

    @property
    def runs(self) -> tuple[str, str]:
        """The two runs."""
        return self.ours.run, self.peer.run

    def value(self, ours: Sequence[float], peer: Sequence[float]) -> float:
        """The compared value of two series of single measurements."""
        one, other = median(ours), median(peer)
        if self.kind == "seconds_more":
            return one - other
        return one / other if self.kind in {"times_as_much", "fraction"} else other / one

    def conclusion(self, value: float) -> str:
        """`goal reached`, `requirement met`, `MISSED`, or `reported only`."""
        if self.required is None or self.goal is None:
            return "reported only"
        sign = 1 if self.kind == "times_less" else -1
        if sign * value < sign * self.required:
            return "MISSED"
        return "goal reached" if sign * value >= sign * self.goal else "requirement met"


ROWS = {
    name: Row.model_validate(row)
    for name, row in tomllib.loads((MEASURED / "rows.toml").read_text(encoding="utf-8")).items()
}


def spread(values: Sequence[float], unit: str) -> str:
    """`median (min – max) unit`."""
    digits = 0 if unit == "MB" else 3 if median(values) < 1 else 2
    middle, low, high = (f"{value:,.{digits}f}" for value in (median(values), min(values), max(values)))
    return f"{middle} ({low} – {high}) {unit}"


def chosen_rows(only: Sequence[str], *, gpu: bool) -> list[str]:
    """The names of the rows to measure: all, or those that begin with a word of `only`.

    Raises:
        UserError: for a word that no row begins with.
    """
    names = [name for name in (*ROWS, SCALING) if name != "lecture_fit_gpu"]
    for word in only:
        if not any(_begins(word, name) for name in names):
            msg = f"--only {word}: there is no such row{nearest(word, names)} (rows: {', '.join(names)})"
            raise UserError(msg)
    found = [name for name in names if not only or any(_begins(word, name) for word in only)]
    return ["lecture_fit_gpu" if gpu and name == "lecture_fit" else name for name in found]


def _begins(word: str, name: str) -> bool:
    return name == word or name.startswith(f"{word}_")
