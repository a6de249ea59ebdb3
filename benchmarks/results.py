"""`benchmarks/results.json`: every single measurement of every row, with its date, versions and commands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.judging import Line, Verdict, judge, straight_line
from benchmarks.rows import ROWS
from imdbclf.errors import UserError
from imdbclf.storage import write_json

Versions = dict[str, dict[str, str]]
"""`ours` and `peers`, each from name to version."""


@dataclass(frozen=True)
class Comparison:
    """A row as it was measured: single values in the row's unit."""

    date: str
    ours: list[float]
    peer: list[float]
    commands: list[str]
    versions: Versions

    def verdict(self, name: str) -> Verdict:
        """What follows for the row of that name."""
        return judge(ROWS[name].target, self.ours, self.peer)


@dataclass(frozen=True)
class Size:
    """What was measured at one size of the corpus."""

    reviews: int
    words: int
    """Different words in the corpus."""
    encode_seconds: list[float]
    prepare_seconds: list[float]
    epoch_seconds: list[float]
    private_mb: list[float]


@dataclass(frozen=True)
class Scaling:
    """The growing corpus as it was measured, smallest size first."""

    date: str
    sizes: list[Size]
    commands: list[str]
    versions: Versions


@dataclass(frozen=True)
class Results:
    """All that was measured on one machine."""

    machine: dict[str, str | int]
    rows: dict[str, Comparison] = field(default_factory=dict)
    scaling: Scaling | None = None

    def merged(self, newer: Results) -> Results:
        """These results with newer rows in place of older ones, in the order in which rows are listed."""
        rows = self.rows | newer.rows
        return Results(
            newer.machine, {name: rows[name] for name in ROWS if name in rows}, newer.scaling or self.scaling
        )


def read_results(path: Path) -> Results | None:
    """The results in a file; None if there is none.

    Raises:
        UserError: if the file is not one of ours.
    """
    if not path.is_file():
        return None
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        rows = {name: Comparison(**row) for name, row in contents["rows"].items() if name in ROWS}
        return Results(contents["machine"], rows, _scaling(contents["scaling"]))
    except (ValueError, TypeError, KeyError) as error:
        msg = f"{path.name}: is no file of results ({error}); move it away and run: make bench"
        raise UserError(msg) from error


def write_results(path: Path, results: Results) -> None:
    """Write all, whole or not at all."""
    write_json(path, asdict(results))


def require_same_machine(known: Results | None, machine: Mapping[str, str | int]) -> None:
    """Refuse to put rows of two machines into one file.

    Raises:
        UserError: if the file's rows were measured on another machine.
    """
    parts = ("processor", "cores")
    if known is not None and any(known.machine[part] != machine[part] for part in parts):
        msg = f"results.json: is of another machine ({known.machine['processor']}); move it away to measure this one"
        raise UserError(msg)


def _scaling(contents: dict[str, Any] | None) -> Scaling | None:
    return None if contents is None else Scaling(**contents | {"sizes": [Size(**size) for size in contents["sizes"]]})


@dataclass(frozen=True)
class Growth:
    """How a time grows with the reviews: the line, microseconds a review, and how far sizes are off the line."""

    line: Line
    microseconds: list[float]
    largest_size_off: float
    largest_off: float


LINE_SIZES = 3
"""Sizes that a line must pass by before it says anything: two are always on one."""

LINE_BOUND = 0.15
"""How far the largest size's time may be off the line."""

MEMORY_BOUND = 1.2
"""Peak private memory of the largest size over that of the smallest, at most."""


def growth(sizes: list[int], seconds: list[float]) -> Growth:
    """The growth that median times at several sizes show."""
    line = straight_line(sizes, seconds)
    off = [line.deviation(n, t) for n, t in zip(sizes, seconds, strict=True)]
    microseconds = [t / n * 1e6 for n, t in zip(sizes, seconds, strict=True)]
    return Growth(line, microseconds, off[-1], max(off, key=abs))
