"""The folder of a sweep: what is written is read, and other folders are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from imdbclf.errors import UserError
from imdbclf.folders.run import RunFolder
from imdbclf.folders.sweep import Sweep, SweepFolder, SweepJob

SWEEP = Sweep(
    experiment="lecture",
    command="imdbclf train -m model.layers=1,2 'seed=range(2)'",
    axes=["model.layers", "seed"],
    jobs=[SweepJob("layers-1_0a1b", ["model.layers=1", "seed=0"], {"model.layers": 1, "seed": 0})],
)


def test_a_sweep_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "new" / "sweep")
    folder.write(SWEEP)
    assert folder.read() == SWEEP


def test_the_seed_is_not_among_what_is_compared() -> None:
    assert SWEEP.compared == ["model.layers"]


def test_its_title_names_a_sweep_that_is_not_that_of_its_experiment() -> None:
    titles = [replace(SWEEP, sweep=sweep).title for sweep in ("none", "lecture", "overfitting")]
    assert titles == ["lecture", "lecture", "overfitting (lecture)"]


NO_SWEEPS = [
    None,
    "",
    "[",
    "[]",
    '{"no": "format"}',
    '{"format": 0}',
    '{"format": 1}',
    '{"format": 1, "experiment": "x", "command": "x", "axes": [], "jobs": [1], "search": {}}',
    '{"format": 1, "experiment": "x", "command": "x", "axes": 3, "jobs": [], "search": {}}',
]


@pytest.mark.parametrize("contents", NO_SWEEPS)
def test_a_folder_that_is_no_sweeps_is_refused_by_name(tmp_path: Path, contents: str | None) -> None:
    folder = SweepFolder(tmp_path)
    if contents is not None:
        folder.manifest.write_text(contents, encoding="utf-8")
    with pytest.raises(UserError, match=str(tmp_path)):
        folder.read()


@pytest.mark.parametrize(
    ("files", "outcome"),
    [
        ([], "unfinished"),
        (["failure"], "failed"),
        (["metrics"], "done"),
        (["failure", "metrics"], "done"),
    ],
)
def test_the_file_written_last_says_how_far_a_run_came(tmp_path: Path, files: list[str], outcome: str) -> None:
    run = RunFolder(tmp_path)
    for name in files:
        getattr(run, name).write_text(json.dumps({}), encoding="utf-8")
    assert run.outcome == outcome


def test_a_folder_of_other_things_is_no_folder_for_a_sweep(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(UserError, match="is not empty and holds no sweep"):
        SweepFolder(tmp_path).check_usable()
    (tmp_path / "sweep.json").write_text("[]", encoding="utf-8")
    with pytest.raises(UserError, match="is not the folder of a sweep"):
        SweepFolder(tmp_path).check_usable()


def test_a_new_folder_an_empty_one_and_a_begun_search_may_be_used(tmp_path: Path) -> None:
    SweepFolder(tmp_path / "new").check_usable()
    SweepFolder(tmp_path).check_usable()
    for name in (".search.lock", "search.journal"):
        (tmp_path / name).touch()
    SweepFolder(tmp_path).check_usable()
