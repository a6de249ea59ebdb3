from __future__ import annotations

from math import prod
from pathlib import Path
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from benchmarks.__main__ import QUICK
from benchmarks.processes import Finished
from benchmarks.rows import chosen_rows
from benchmarks.runs import RUNS, check_same_encoding, compared, projected, schedule, sweep_metrics
from benchmarks.workplace import Ended, Extent, Workplace
from imdbclf.config_files import CONFIGS
from imdbclf.errors import UserError
from imdbclf.folders.sweep import Sweep, SweepFolder, SweepJob
from imdbclf.storage import write_json

LECTURE = CONFIGS / "sweep" / "lecture.yaml"


def test_repetitions_alternate_between_the_two_sides() -> None:
    assert schedule(["lecture_fit"], 3) == ["lecture", "keras"] * 3


def test_a_run_that_several_rows_need_is_done_once_per_repetition() -> None:
    runs = schedule(["lecture_fit", "command_cached", "command_memory", "plain_loop"], 1)
    assert runs == ["lecture", "keras", "plain_loop"]
    assert schedule(chosen_rows(["sweep"], gpu=False), 1) == ["sweep", "keras_sweep", "sweep_processes"]


def test_short_commands_are_run_more_often_unless_it_must_be_quick() -> None:
    assert schedule(["encode", "help"], 1) == ["encode", "sklearn_encode", *["help", "python"] * 3]
    assert schedule(["help"], 1, quick=True) == ["help", "python"]


def test_a_quick_command_has_fewer_epochs_and_a_smaller_sweep(tmp_path: Path) -> None:
    place = Workplace(tmp_path, tmp_path, tmp_path, QUICK)
    words = RUNS["sweep"].words(place)[1:]
    assert words[:3] == ["train", "-m", "sweep=lecture"]
    assert words[3:] == ["model.layers=2", "model.hidden=16", "trainer.max_epochs=2", "hydra.sweep.dir=sweep"]
    usual = RUNS["lecture"].words(Workplace(tmp_path, tmp_path, tmp_path))[1:]
    assert usual == ["train", "experiment=lecture", "hydra.run.dir=run"]


def test_every_command_can_be_made() -> None:
    place = SimpleNamespace(
        **dict.fromkeys(("program", "python", "peers", "data", "npz", "checkpoint", "regression"), "PATH"),
        extent=Extent(),
        fewer_epochs=[],
    )
    for run in RUNS.values():
        assert "{" not in " ".join(run.words(place))  # type: ignore[arg-type]
        assert all(hasattr(Workplace, name) for name in run.needs)


def test_a_row_takes_its_quantity_from_its_two_runs() -> None:
    ours = Ended(Finished(5.0, 100.0, 0.0), {"fit_seconds": 2.0}, "imdbclf")
    peer = Ended(Finished(40.0, 900.0, 0.0), {"fit_seconds": 30.0}, "keras")
    rows = compared(
        ["lecture_fit", "command_cached", "command_memory"], {"lecture": [ours], "keras": [peer]}, "2026-01-02", {}
    )
    assert (rows["lecture_fit"].ours, rows["lecture_fit"].peer) == ([2.0], [30.0])
    assert (rows["command_cached"].ours, rows["command_cached"].peer) == ([5.0], [40.0])
    assert (rows["command_memory"].ours, rows["command_memory"].peer) == ([100.0], [900.0])
    assert rows["lecture_fit"].commands == ["imdbclf", "keras"]


def test_seconds_that_a_process_measures_itself_count_instead_of_those_from_start_to_exit() -> None:
    assert Ended(Finished(5.0, 100.0, 0.0), {"seconds": 1.0, "words": ["a"]}, "").metrics["seconds"] == 1.0


def test_both_sides_of_a_row_can_come_from_one_run() -> None:
    sweep = Ended(Finished(100.0, 600.0, 0.0), {"fits_seconds": 80.0, "besides_seconds": 20.0}, "imdbclf train -m")
    row = compared(["sweep_overhead"], {"sweep": [sweep]}, "2026-01-02", {})["sweep_overhead"]
    assert (row.ours, row.peer, row.commands) == ([20.0], [80.0], ["imdbclf train -m"])


def test_a_sweep_in_keras_is_its_first_fit_and_35_times_its_second() -> None:
    assert projected({"first_fit_seconds": 20.0, "second_fit_seconds": 10.0}, 36) == 370


def test_the_fits_of_a_sweep_are_those_of_its_jobs(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    jobs = [SweepJob(name, [], {}) for name in ("a", "b", "of-another-question")]
    for job, seconds in zip(jobs, (1.5, 2.0, 9.0), strict=True):
        folder.run(job).path.mkdir(parents=True)
        write_json(folder.run(job).metrics, {"fit_seconds": seconds})
    folder.write(Sweep("lecture", "imdbclf train -m", [], jobs[:2]))
    assert sweep_metrics(tmp_path) == {"jobs": 2, "fits_seconds": 3.5}


def test_the_sweeps_have_as_many_jobs_as_their_extents_say() -> None:
    given = dict(OmegaConf.load(LECTURE).hydra.sweeper.params)
    axes = {str(key): values.split(",") for key, values in given.items()}
    assert prod(map(len, axes.values())) == Extent().sweep_jobs
    axes |= {key: values.split(",") for key, values in (text.split("=") for text in QUICK.sweep_overrides)}
    assert prod(map(len, axes.values())) == QUICK.sweep_jobs


def test_two_sides_may_differ_only_in_ties_of_the_rarest_words() -> None:
    ours = {"words": ["a", "b"], "rarest": ["b", "c"], "rarest_count": 2, "ones": 10}
    check_same_encoding(ours, {"words": ["a", "c"], "ones": 11})
    with pytest.raises(UserError, match="other words"):
        check_same_encoding(ours, {"words": ["b", "d"], "ones": 10})
    with pytest.raises(UserError, match="10 and 11 ones"):
        check_same_encoding(ours, {"words": ["a", "b"], "ones": 11})
