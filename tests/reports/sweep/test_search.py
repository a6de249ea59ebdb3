"""The section about a search: what was done, what came of it, and each new best trial."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import filelock
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from imdbclf.folders.search_journal import ERROR, REUSED, open_journal
from imdbclf.folders.sweep import Sweep, SweepFolder
from imdbclf.reports.page import Section
from imdbclf.reports.sweep.conclusions import conclusions_of
from imdbclf.reports.sweep.search import search_section
from imdbclf.reports.sweep.sections import SweepResults

AXES: dict[str, BaseDistribution] = {
    "optimizer.lr": FloatDistribution(1e-4, 1e-2),
    "model.layers": CategoricalDistribution(("1", "2")),
}
SEARCH: dict[str, Any] = {
    "study": "one",
    "monitor": "val/loss",
    "sampler": "tpe",
    "sampler_seed": 0,
    "trials": 20,
    "minutes": None,
    "workers": 2,
}


def section(folder: Path, values: list[float | None], **search: Any) -> Section | None:
    """The section of a search with a trial for each value; None for one that failed."""
    sweep_folder, about = SweepFolder(folder), SEARCH | search
    storage = open_journal(sweep_folder.journal, filelock.FileLock(folder / "turn.lock"))
    study = optuna.create_study(study_name="one", storage=storage)
    for number, value in enumerate(values):
        study.add_trial(
            create_trial(
                state=TrialState.FAIL if value is None else TrialState.COMPLETE,
                value=value,
                params={"optimizer.lr": 1e-3 + 1e-4 * number, "model.layers": str(1 + number % 2)},
                distributions=AXES,
                user_attrs={ERROR: "out of memory"} if value is None else {REUSED: True} if number == 0 else {},
            )
        )
    sweep = Sweep("lecture", "imdbclf train -m", list(AXES), [], about)
    return search_section(SweepResults(sweep_folder, sweep, conclusions_of([], list(AXES))))


def test_the_section_says_how_was_searched_and_what_came_of_it(tmp_path: Path) -> None:
    found = section(tmp_path, [0.5, None, 0.4, 0.6, math.inf, 0.3])
    assert found is not None
    assert list(found.text) == [
        "Searched for the smallest val/loss with the sampler tpe (seed 0), 2 trials at a time; budget: 20 trials.",
        "6 trials; 1 found their run in the folder; 1 failed, the first one: out of memory.",
    ]
    assert found.table is not None
    assert [list(row) for row in found.table.rows] == [
        ["learning rate 0.001, 1 layer", "0", "0.5000"],
        ["learning rate 0.0012, 1 layer", "2", "0.4000"],
        ["learning rate 0.0015, 2 layers", "5", "0.3000"],
    ]
    assert found.table.highlighted == 2
    assert [plot.name for plot in found.plots] == ["search"]


def test_accuracies_are_better_when_they_are_larger(tmp_path: Path) -> None:
    found = section(tmp_path, [0.85, 0.84, 0.86], monitor="val/accuracy", trials=None, minutes=1.5, workers=1)
    assert found is not None
    assert found.text[0].startswith("Searched for the largest val/accuracy")
    assert found.text[0].endswith("1 trial at a time; budget: 1.5 minutes.")
    assert found.table is not None
    assert [row[1:] for row in found.table.rows] == [["0", "85.00 %"], ["2", "86.00 %"]]


def test_a_search_of_which_nothing_is_finished_or_known_has_no_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert section(tmp_path, []) is None
    sweep = Sweep("lecture", "imdbclf train -m", list(AXES), [], SEARCH)
    conclusions = conclusions_of([], list(AXES))
    assert search_section(SweepResults(SweepFolder(tmp_path), sweep, conclusions)) is None
    other = Sweep("lecture", "imdbclf train -m", list(AXES), [], SEARCH | {"study": "two"})
    assert search_section(SweepResults(SweepFolder(tmp_path), other, conclusions)) is None
    assert search_section(SweepResults(SweepFolder(tmp_path / "empty"), sweep, conclusions)) is None
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert search_section(SweepResults(SweepFolder(tmp_path), sweep, conclusions)) is None
