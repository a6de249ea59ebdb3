"""A run folder: the path of each file of a run, and how an unused folder name is found.

The folder is the interface between training and reports; `docs/run-folders.md` says what each file contains.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from imdbclf.errors import UserError
from imdbclf.storage import read_json, read_yaml, remove_unfinished

Outcome = Literal["done", "failed", "unfinished"]


@dataclass(frozen=True)
class Folder:
    """A folder whose entries have fixed names."""

    path: Path


class Entry:
    """A file or folder with a fixed name; as an attribute of a `Folder` it is its path."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, folder: Folder, _owner: type | None = None) -> Path:
        """The path in this folder."""
        return folder.path / self.name


class Subfolder(Entry):
    """An entry that is a folder."""


class RunFolder(Folder):
    """The files of one run."""

    config = Entry("config.yaml")
    history = Entry("history.csv")
    history_plot = Entry("history.png")
    reliability_diagram = Entry("reliability.png")
    metrics = Entry("metrics.json")
    """Written last: a folder that has this file is a finished run."""
    predictions = Entry("predictions.parquet")
    predicted_labels = Entry("predictions.csv")
    """Only for test reviews without labels."""
    environment = Entry("environment.json")
    log = Entry("train.log")
    failure = Entry("failure.json")
    """Only for a failed job of a sweep: `error` and `overrides`."""
    lock = Entry(".lock")
    """Held by the process that works in the folder."""
    checkpoints = Subfolder("checkpoints")
    best = Entry("checkpoints/best.ckpt")
    last = Entry("checkpoints/last.ckpt")
    members = Subfolder("members")
    """A folder for each member of an ensemble, until it is done."""
    teacher = Subfolder("teacher")
    """The run folder of the teacher, until the student is done."""
    final = Subfolder("final")
    """The run folder of the fit on all training reviews, until it is done."""

    @property
    def outcome(self) -> Outcome:
        """The status of the run."""
        if self.metrics.exists():
            return "done"
        return "failed" if self.failure.exists() else "unfinished"

    def read_config(self) -> dict[str, Any]:
        """The config of the run; errors as in `read_yaml`."""
        return read_yaml(self.config)

    @property
    def is_begun(self) -> bool:
        """Whether there is a checkpoint, of this run or of a step of it."""
        return any(self.path.rglob("*.ckpt"))

    def error(self) -> str:
        """Why a run that is not done failed, as its process wrote it down."""
        if self.outcome == "unfinished":
            return "did not finish"
        return str((read_json(self.failure) or {}).get("error", "no reason was recorded"))

    def discard(self) -> None:
        """Remove the files that a run writes; other files stay, and so do folders that contain one.

        The folder itself and empty ones around it are removed only if `claim` or `reserve` made them.
        """
        self.discard_steps()
        RunFolder(self.final).discard_step()
        self.discard_unfinished()
        _remove(self.checkpoints, *self._files)
        for folder in (self.path.absolute(), *self.path.absolute().parents):
            if folder in _made:
                _remove(folder)

    def discard_unfinished(self) -> None:
        """Remove what a process left that was killed while it wrote a file of the run."""
        for file in self._files:
            remove_unfinished(file)

    @property
    def _files(self) -> list[Path]:
        entries = [entry for entry in vars(RunFolder).values() if isinstance(entry, Entry)]
        return [self.path / entry.name for entry in entries if not isinstance(entry, Subfolder)]

    def discard_checkpoints(self) -> None:
        """Remove `best.ckpt` and `last.ckpt`."""
        _remove(self.checkpoints, self.best, self.last)

    def discard_steps(self) -> None:
        """Remove the folders of an ensemble's members and of a teacher."""
        for member in self.members.glob("[0-9]*"):
            RunFolder(member).discard_step()
        _remove(self.members)
        RunFolder(self.teacher).discard_step()

    def discard_step(self) -> None:
        """Remove a run folder that is a step of another run, inside its folder."""
        if self.path.is_dir():
            self.discard()
            _remove(self.path)


def checkpoint_in(path: Path) -> Path:
    """The best checkpoint if the path is a run folder, else the path itself."""
    return RunFolder(path).best if path.is_dir() else path


_made: set[Path] = set()
"""Folders that this process has made and may remove."""


def _remove(folder: Path, *files: Path) -> None:
    """Remove files, and the folder if it is empty; what cannot be removed stays."""
    for remove in (*(file.unlink for file in files), folder.rmdir):
        with contextlib.suppress(OSError):
            remove()


def _make(path: Path) -> None:
    """Create a folder and its parents, and note those that were missing."""
    missing = [folder for folder in (path.absolute(), *path.absolute().parents) if not folder.exists()]
    path.mkdir(parents=True)
    _made.update(missing)


def reserve(path: Path) -> Path:
    """Create a new folder of this name; if it exists, of this name and a number."""
    number = 1
    while True:
        candidate = path if number == 1 else path.with_name(f"{path.name}-{number}")
        with contextlib.suppress(FileExistsError):
            _make(candidate)
            return candidate
        number += 1


def claim(path: Path) -> Path:
    """Create the folder that a user chose for a run, or use it if it exists and is empty.

    The log is created at once, so that of two runs that claim an empty folder at the same time one is refused.

    Raises:
        UserError: if it is a file or a folder that is not empty: a run never overwrites or removes other files.
    """
    try:
        _make(path)
    except FileExistsError as error:
        if not path.is_dir():
            raise UserError(f"hydra.run.dir={path}: is a file; give a folder that does not exist yet") from error
        if any(path.iterdir()):
            holds = "already holds a run" if RunFolder(path).config.exists() else "is not empty"
            msg = f"hydra.run.dir={path}: {holds}; give an empty folder, or one that does not exist yet"
            raise UserError(msg) from error
    try:
        RunFolder(path).log.touch(exist_ok=False)
    except FileExistsError as error:
        msg = f"hydra.run.dir={path}: another run has just claimed it; give a folder that does not exist yet"
        raise UserError(msg) from error
    return path
