"""The rows (`rows.toml`): what is compared with what, how it is judged, and the results (`results.json`)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Literal

from pydantic import ValidationError

from benchmarks.command import MEASURED, Fixed
from benchmarks.scaling import Scaling, Versions
from imdbclf.errors import UserError, nearest, one_line
from imdbclf.storage import write_json

RESULTS = MEASURED / "results.json"
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

    short: str
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
    found = {word: [name for name in names if f"{name}_".startswith(f"{word}_")] for word in only}
    for word in only:
        if not found[word]:
            msg = f"--only {word}: there is no such row{nearest(word, names)} (rows: {', '.join(names)})"
            raise UserError(msg)
    chosen = [name for name in names if not only or any(name in each for each in found.values())]
    return ["lecture_fit_gpu" if gpu and name == "lecture_fit" else name for name in chosen]


class Comparison(Fixed):
    """A row as it was measured: single values in the row's unit."""

    date: str
    ours: list[float]
    peer: list[float]
    commands: list[str]
    versions: Versions


class Results(Fixed):
    """All that was measured on one machine."""

    machine: dict[str, str | int]
    rows: dict[str, Comparison]
    scaling: Scaling | None = None

    def value(self, name: str) -> float:
        """The compared value of a row."""
        return ROWS[name].value(self.rows[name].ours, self.rows[name].peer)

    def merged(self, newer: Results) -> Results:
        """These results with newer rows in place of older ones, in the order in which rows are listed."""
        rows = self.rows | newer.rows
        ordered = {name: rows[name] for name in ROWS if name in rows}
        return Results(machine=newer.machine, rows=ordered, scaling=newer.scaling or self.scaling)


def read_results(path: Path = RESULTS) -> Results | None:
    """The results in a file; None if there is none.

    Raises:
        UserError: if the file is not one of ours.
    """
    if not path.is_file():
        return None
    try:
        return Results.model_validate_json(path.read_bytes())
    except ValidationError as error:
        msg = f"{path.name}: is not a file of results ({one_line(error)[:200]}); move it away and run: make bench"
        raise UserError(msg) from error


def write_results(results: Results, path: Path = RESULTS) -> None:
    """Write all, whole or not at all."""
    write_json(path, results.model_dump())


def require_same_machine(known: Results | None, machine: Mapping[str, str | int]) -> None:
    """Refuse to put rows of two machines into one file.

    Raises:
        UserError: if the file's rows were measured on another machine.
    """
    parts = ("processor", "cores")
    if known is not None and any(known.machine[part] != machine[part] for part in parts):
        msg = f"results.json: is of another machine ({known.machine['processor']}); move it away to measure this one"
        raise UserError(msg)
