"""The journal of a search: Optuna's storage in one file of the sweep folder, shared by several processes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import filelock
import optuna
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

JOB, ERROR, REUSED = "job", "error", "reused"
"""What a trial's user attributes hold: its job, why it failed, and whether its run was there before."""


def open_journal(path: Path, turn: filelock.BaseFileLock | None = None) -> JournalStorage:
    """The storage in this file, in a folder that exists; `turn` is the lock of all who write, None to read only."""
    # Its log lines would stand between ours.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if turn is not None:
        with turn:
            if path.exists():
                # A process that died can leave a last line without an end; Optuna would append the next line to it.
                os.truncate(path, path.read_bytes().rfind(b"\n") + 1)
    # Optuna calls `acquire` and `release`, which this lock has; the kernel frees it when its process dies.
    return JournalStorage(JournalFileBackend(str(path), lock_obj=cast("Any", turn)))


def counted(study: Study, *states: TrialState) -> list[FrozenTrial]:
    """The trials that count for the budget, in their order; only those in these states, if any are given.

    Waiting trials have not begun. A trial that failed without an error belonged to a process that died; its values
    are tried again under another number.
    """
    trials = study.get_trials(deepcopy=False, states=states or None)
    begun = [trial for trial in trials if trial.state is not TrialState.WAITING]
    return [trial for trial in begun if trial.state is not TrialState.FAIL or ERROR in trial.user_attrs]
