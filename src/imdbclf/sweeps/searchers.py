"""Who is at work on a search: one process or several, of which any may die without a word."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock


class Searchers:
    """The processes at work in a sweep folder: each holds a lock of its own as long as it lives.

    The kernel takes locks from the dead, so that a lock that can be had is one of a process that is no more.

    Args:
        folder: the sweep's.
    """

    def __init__(self, folder: Path) -> None:
        self.own = uuid.uuid4().hex
        """The name of this process."""
        self.turn = filelock.FileLock(folder / ".search.lock")
        """Held by whoever takes trials, or writes what all of them write."""
        self._folder = folder / ".searchers"

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Inside, this process is known to be alive."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(self.own)
        with filelock.FileLock(path):
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    def is_alive(self, name: str) -> bool:
        """Whether the process of this name is at work."""
        path = self._path(name)
        if name == self.own:
            return True
        if not path.exists():
            return False
        try:
            with filelock.FileLock(path, timeout=0):
                path.unlink(missing_ok=True)
        except filelock.Timeout:
            return True
        return False

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.lock"
