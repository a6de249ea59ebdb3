"""A sweep folder: the jobs of a sweep, and its report; `docs/run-folders.md` says what each file contains.

Runs of earlier commands stay in the folder, and are used again if a command asks for them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from imdbclf.errors import UserError
from imdbclf.folders.run import Entry, Folder, RunFolder
from imdbclf.setting_errors import explain
from imdbclf.storage import read_json, write_json

Choice = bool | int | float | str | None | list[int]
"""A value on an axis, as in the config."""

FORMAT = 1
"""Increased when the meaning of `sweep.json` changes."""

RUNS = "runs"
"""Name of the folder with the run folders."""

SEED = "seed"
FOLD = "data.fold"
REPEATED = (SEED, FOLD)
"""The axes of repetitions; configurations are compared over all other axes."""


@dataclass(frozen=True)
class SweepJob:
    """One job: its folder's name below `runs/`, its overrides as typed, and its value on every axis."""

    folder: str
    overrides: list[str]
    choices: dict[str, Choice]


@dataclass(frozen=True)
class Sweep:
    """The content of `sweep.json`: the experiment's name, the command, the axes in the given order, and the jobs.

    `search` describes the search that found the jobs; it is empty for a grid. `sweep` is the name of the sweep, if its
    axes are one of `configs/sweep/`.
    """

    experiment: str
    command: str
    axes: list[str]
    jobs: list[SweepJob]
    search: dict[str, Any] = field(default_factory=dict)
    sweep: str = "none"

    @property
    def title(self) -> str:
        """The name of the sweep and that of its experiment, if they differ."""
        return self.experiment if self.sweep in {"none", self.experiment} else f"{self.sweep} ({self.experiment})"

    @property
    def compared(self) -> list[str]:
        """The axes without the seed and the fold."""
        return [axis for axis in self.axes if axis not in REPEATED]


_SWEEP = TypeAdapter(Sweep)


class SweepFolder(Folder):
    """The files of one sweep."""

    manifest = Entry("sweep.json")
    runs = Entry(RUNS)
    table = Entry("sweep.csv")
    epochs = Entry("epochs.csv")
    page = Entry("sweep.html")
    journal = Entry("search.journal")

    def run(self, job: SweepJob) -> RunFolder:
        """The job's run folder, whether it exists or not."""
        return RunFolder(self.runs / job.folder)

    def write(self, sweep: Sweep) -> None:
        """Write `sweep.json`, completely or not at all."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.manifest, {"format": FORMAT, **asdict(sweep)})

    def read(self) -> Sweep:
        """Read `sweep.json`.

        Raises:
            UserError: if the folder is not one of a sweep, or one of another version.
        """
        contents = read_json(self.manifest)
        if contents is None:
            raise UserError(f"{self.path}: is not the folder of a sweep (no {self.manifest.name} that can be read)")
        if contents.get("format") != FORMAT:
            raise UserError(f"{self.manifest}: has format {contents.get('format')}; this version reads format {FORMAT}")
        try:
            return _SWEEP.validate_python(contents)
        except ValidationError as error:
            raise UserError(f"{self.manifest}: is damaged, or not of a sweep ({explain(error, ())})") from error

    def check_usable(self) -> None:
        """Refuse a folder with other files; an empty one and an earlier sweep may be used.

        Raises:
            UserError: if it is a file, or a folder that is neither empty nor one of a sweep.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"hydra.sweep.dir={self.path}: is a file; give a folder that does not exist yet")
        if self.manifest.exists():
            self.read()
        # A search that was killed before it wrote its manifest leaves its journal and hidden locks.
        elif any(path != self.journal and not path.name.startswith(".") for path in self.path.glob("*")):
            msg = f"hydra.sweep.dir={self.path}: is not empty and holds no sweep; give an empty folder, or a new one"
            raise UserError(msg)
