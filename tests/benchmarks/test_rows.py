from __future__ import annotations

from math import prod
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from benchmarks.__main__ import QUICK
from benchmarks.measuring import check_same_encoding, compared, schedule
from benchmarks.rows import ROWS, SCALING, chosen_rows
from benchmarks.runs import RUNS, Observation, projected, sweep_figures
from benchmarks.scaling import parsed_sizes
from benchmarks.workplace import Extent
from imdbclf.errors import UserError
from imdbclf.folders.sweep import Sweep, SweepFolder, SweepJob
from imdbclf.storage import write_json
from imdbclf.training.compose import CONFIGS

LECTURE = CONFIGS / "sweep" / "lecture.yaml"


def test_every_row_compares_runs_that_there_are() -> None:
    assert {run for row in ROWS.values() for run in row.runs} <= set(RUNS)


def test_all_rows_are_meant_unless_some_are_named() -> None:
    assert chosen_rows([], gpu=False) == [*(name for name in ROWS if name != "lecture_fit_gpu"), SCALING]
    assert chosen_rows(["predict"], gpu=False) == ["predict_many", "predict_one", "predict_command"]
    assert chosen_rows(["lecture_fit"], gpu=True) == ["lecture_fit_gpu"]


def test_an_unknown_row_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"--only encoed: there is no such row; did you mean 'encode'\?"):
        chosen_rows(["encoed"], gpu=False)


def test_repetitions_alternate_between_the_two_sides() -> None:
    assert schedule(["lecture_fit"], 3) == ["lecture", "keras"] * 3


def test_a_run_that_several_rows_need_is_done_once_a_repetition() -> None:
    runs = schedule(["lecture_fit", "command_cached", "command_memory", "plain_loop"], 1)
    assert runs == ["lecture", "keras", "plain_loop"]


def test_short_commands_are_run_more_often_unless_it_must_be_quick() -> None:
    assert schedule(["encode", "help"], 1) == ["encode", "sklearn_encode", *["help", "python"] * 3]
    assert schedule(["help"], 1, quick=True) == ["help", "python"]


def test_a_row_takes_its_quantity_from_its_two_runs() -> None:
    ours = Observation({"fit_seconds": 2.0, "seconds": 5.0}, "imdbclf", {})
    peer = Observation({"fit_seconds": 30.0, "seconds": 40.0}, "keras", {})
    rows = compared(["lecture_fit", "command_cached"], {"lecture": [ours], "keras": [peer]}, "2026-01-02", {})
    assert (rows["lecture_fit"].ours, rows["lecture_fit"].peer) == ([2.0], [30.0])
    assert (rows["command_cached"].ours, rows["command_cached"].peer) == ([5.0], [40.0])
    assert rows["lecture_fit"].commands == ["imdbclf", "keras"]


def test_a_sweep_in_keras_is_its_first_fit_and_35_times_its_second() -> None:
    assert projected({"first_fit_seconds": 20.0, "second_fit_seconds": 10.0}, 36) == 370


def test_what_a_sweep_takes_besides_its_fits_is_compared_within_one_run() -> None:
    sweep = Observation({"seconds": 100.0, "fits_seconds": 80.0, "besides_seconds": 20.0}, "imdbclf train -m", {})
    row = compared(["sweep_overhead"], {"sweep": [sweep]}, "2026-01-02", {})["sweep_overhead"]
    assert row.verdict("sweep_overhead").value == 0.25
    assert row.commands == ["imdbclf train -m"]


def test_the_fits_of_a_sweep_are_those_of_the_jobs_it_asked_for(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    jobs = [SweepJob(name, [], {}) for name in ("a", "b", "not-asked-for")]
    for job, seconds in zip(jobs, (1.5, 2.0, 9.0), strict=True):
        folder.run(job).path.mkdir(parents=True)
        write_json(folder.run(job).metrics, {"fit_seconds": seconds})
    folder.write(Sweep("lecture", "imdbclf train -m", [], jobs[:2]))
    assert sweep_figures(tmp_path) == {"jobs": 2, "fits_seconds": 3.5}


def test_the_three_rows_of_the_sweep_take_three_processes_a_repetition() -> None:
    rows = chosen_rows(["sweep"], gpu=False)
    assert rows == ["sweep_one_process", "sweep_two_processes", "sweep_overhead"]
    assert schedule(rows, 1) == ["sweep", "keras_sweep", "sweep_processes"]


def test_a_smaller_sweep_has_as_many_jobs_as_its_extent_says() -> None:
    given = dict(OmegaConf.load(LECTURE).hydra.sweeper.params)
    axes = {str(key): values.split(",") for key, values in given.items()}
    assert prod(map(len, axes.values())) == Extent().sweep_jobs
    axes |= {key: values.split(",") for key, values in (text.split("=") for text in QUICK.sweep_overrides)}
    assert prod(map(len, axes.values())) == QUICK.sweep_jobs


def test_two_sides_may_differ_in_ties_of_the_rarest_words_alone() -> None:
    ours = {"words": ["a", "b"], "rarest": ["b", "c"], "rarest_count": 2, "ones": 10}
    check_same_encoding(ours, {"words": ["a", "c"], "ones": 11})
    with pytest.raises(UserError, match="other words"):
        check_same_encoding(ours, {"words": ["b", "d"], "ones": 10})


def test_the_same_words_must_give_the_same_number_of_ones() -> None:
    ours = {"words": ["a", "b"], "rarest": ["b"], "rarest_count": 2, "ones": 10}
    with pytest.raises(UserError, match="10 and 11 ones"):
        check_same_encoding(ours, {"words": ["a", "b"], "ones": 11})


def test_sizes_are_read_in_any_order() -> None:
    assert parsed_sizes("100000,25000") == [25_000, 100_000]


@pytest.mark.parametrize("text", ["", "a", "10", "25000;100000"])
def test_sizes_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="--sizes"):
        parsed_sizes(text)
