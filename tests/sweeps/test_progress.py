"""How far a sweep is, as its folders tell it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from imdbclf.folders.run import RunFolder
from imdbclf.folders.sweep import SweepFolder, SweepJob
from imdbclf.sweeps.progress import Tally, watched

JOBS = [SweepJob(name, [], {}) for name in ("a", "b", "c")]


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    return SweepFolder(tmp_path)


def begin(folder: SweepFolder, number: int) -> RunFolder:
    run = folder.run(JOBS[number])
    run.path.mkdir(parents=True, exist_ok=True)
    run.config.touch()
    return run


def finish(folder: SweepFolder, number: int, accuracy: float) -> None:
    metrics = {"val/accuracy": accuracy, "best_epoch": 5}
    begin(folder, number).metrics.write_text(json.dumps(metrics), encoding="utf-8")


def test_a_line_for_each_job_that_ends_once(folder: SweepFolder) -> None:
    tally = Tally(folder, JOBS)
    assert tally.look() == []
    finish(folder, 1, 0.88)
    assert tally.look() == ["[1/3] b: validation accuracy 0.8800 in epoch 5"]
    assert tally.look() == []


def test_the_summary_counts_who_is_at_work_and_names_the_best(folder: SweepFolder) -> None:
    tally = Tally(folder, JOBS)
    begin(folder, 0)
    finish(folder, 1, 0.88)
    finish(folder, 2, 0.87)
    tally.look()
    assert tally.summary().startswith("1 running; about ")
    assert tally.summary().endswith("left; best so far 0.8800 (b)")


def test_what_was_done_before_counts_but_does_not_set_the_pace(folder: SweepFolder) -> None:
    finish(folder, 0, 0.9)
    tally = Tally(folder, JOBS)
    assert (tally.finished, tally.done_before, tally.seconds_left()) == (1, 1, None)
    assert tally.summary() == "best so far 0.9000 (a)"
    tally.began -= 10
    finish(folder, 1, 0.8)
    assert tally.look() == ["[2/3] b: validation accuracy 0.8000 in epoch 5"]
    assert tally.seconds_left() == pytest.approx(10, abs=1)


def test_a_failure_is_shown_with_its_reason(folder: SweepFolder) -> None:
    tally = Tally(folder, JOBS)
    begin(folder, 0).failure.write_text('{"error": "no room"}', encoding="utf-8")
    assert tally.look() == ["[1/3] a: failed: no room"]
    assert tally.failed == 1
    assert tally.summary().startswith("1 failed")


def test_a_failure_of_an_earlier_attempt_is_waiting_to_be_tried_again(folder: SweepFolder) -> None:
    run = begin(folder, 0)
    run.failure.write_text('{"error": "no room"}', encoding="utf-8")
    for file in (run.failure, run.config):
        os.utime(file, (time.time() - 60, time.time() - 60))
    tally = Tally(folder, JOBS)
    assert (tally.look(), tally.running) == ([], 0)


def test_a_run_without_validation_has_no_accuracy_to_tell(folder: SweepFolder) -> None:
    begin(folder, 0).metrics.write_text('{"test/accuracy": 0.9}', encoding="utf-8")
    assert Tally(folder, JOBS).summary() == ""


def test_watching_tells_the_last_job_too(folder: SweepFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with watched(Tally(folder, JOBS)):
        for number in range(3):
            finish(folder, number, 0.8 + number / 100)
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 3
    assert out[-1].startswith("[3/3] c: validation accuracy 0.8200 in epoch 5")


@pytest.mark.parametrize(("seconds", "said"), [(9.6, "0:00:10"), (3599, "0:59:59"), (7260, "2:01:00")])
def test_the_time_left_is_shown_in_hours_minutes_and_seconds(folder: SweepFolder, seconds: float, said: str) -> None:
    tally = Tally(folder, JOBS)
    finish(folder, 0, 0.5)
    tally.look()
    tally.began = time.time() - seconds / 2
    assert f"about {said} left" in tally.summary()
