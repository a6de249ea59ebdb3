"""`benchmarks/results.json`: every single measurement of every row, with its date, versions and commands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from benchmarks.command import MEASURED, Fixed
from benchmarks.rows import ROWS
from benchmarks.scaling import Scaling, Versions
from imdbclf.errors import UserError
from imdbclf.storage import write_json

RESULTS = MEASURED / "results.json"


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
        problem = error.errors(include_url=False)[0]
        said = f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        msg = f"{path.name}: is not a file of results ({said}); move it away and run: make bench"
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
