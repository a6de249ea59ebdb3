"""The journal of a search survives processes that die while they write."""

from __future__ import annotations

from pathlib import Path

import filelock
import optuna
import pytest

from imdbclf.folders.search_journal import ERROR, counted, open_journal


@pytest.fixture
def turn(tmp_path: Path) -> filelock.BaseFileLock:
    return filelock.FileLock(tmp_path / "turn.lock")


def test_a_torn_line_of_a_dead_process_is_removed_before_the_next_one_is_written(
    tmp_path: Path, turn: filelock.BaseFileLock
) -> None:
    path = tmp_path / "search.journal"
    optuna.create_study(storage=open_journal(path, turn), study_name="one")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code": 0, "wor')
    assert optuna.get_all_study_names(open_journal(path)) == ["one"]
    optuna.create_study(storage=open_journal(path, turn), study_name="two")
    assert path.read_bytes().startswith(whole)
    assert optuna.get_all_study_names(open_journal(path)) == ["one", "two"]


def test_reading_writes_nothing(tmp_path: Path, turn: filelock.BaseFileLock) -> None:
    path = tmp_path / "search.journal"
    optuna.create_study(storage=open_journal(path, turn), study_name="one")
    before = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    optuna.load_study(storage=open_journal(path), study_name="one").get_trials()
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before


def test_trials_count_unless_they_wait_or_their_process_died(tmp_path: Path, turn: filelock.BaseFileLock) -> None:
    study = optuna.create_study(storage=open_journal(tmp_path / "search.journal", turn))
    done, failed, died, _running = (study.ask() for _ in range(4))
    study.tell(done, 0.5)
    failed.set_user_attr(ERROR, "out of memory")
    for trial in (failed, died):
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    study.enqueue_trial({})
    assert [trial.number for trial in counted(study)] == [0, 1, 3]
    assert [trial.number for trial in counted(study, optuna.trial.TrialState.FAIL)] == [1]
