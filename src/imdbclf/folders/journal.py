"""The journal of a search: Optuna's storage in one file of the sweep folder, which several processes may write to.

A process may die at any moment. Optuna's own locks are files that a dead process leaves behind for half a minute; ours
are the kernel's, which go with their owner. A line that was being written is taken away by whoever opens it next.
"""

from __future__ import annotations

import os
from pathlib import Path

import filelock
import optuna
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock, JournalStorage


def open_journal(path: Path) -> JournalStorage:
    """The storage in this file, which is made if it is not there. Optuna's own log lines are silenced: ours say more.

    Args:
        path: of the journal; its folder exists.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    lock = _KernelLock(path)
    with lock.lock:
        _take_away_torn_line(path)
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))


def read_journal(path: Path) -> JournalStorage:
    """The storage in a file that is there, to read from alone: nothing is written, not even a lock."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return JournalStorage(JournalFileBackend(str(path)))


class _KernelLock(JournalFileOpenLock):
    """What Optuna asks before it appends a line."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))

    def acquire(self) -> bool:
        """Wait for the lock."""
        self.lock.acquire()
        return True

    def release(self) -> None:
        """Give it back."""
        self.lock.release()


def _take_away_torn_line(path: Path) -> None:
    """A line without its end would be glued to the next one, and the journal could never be read again."""
    if not path.exists():
        return
    with path.open("r+b") as stream:
        end = stream.seek(0, os.SEEK_END)
        if end == 0:
            return
        stream.seek(-1, os.SEEK_END)
        if stream.read(1) != b"\n":
            stream.seek(0)
            stream.truncate(stream.read().rfind(b"\n") + 1)
