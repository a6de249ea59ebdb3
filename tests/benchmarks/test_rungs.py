from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from benchmarks.rungs import (
    RUNGS,
    Ladder,
    changed,
    changed_settings,
    combined,
    compared,
    compared_with,
    is_shown,
    p_values,
    read_ladder,
    refuse_other_settings,
    rung_metrics,
)
from imdbclf.errors import UserError
from imdbclf.folders.sweep import Sweep, SweepFolder, SweepJob
from imdbclf.reports.statistics import holm, mcnemar_p
from imdbclf.storage import write_json

RECIPES = ("strong_10k", "strong", "strong_ensemble", "strong_semi")
MOST_CHANGED = 3
NAMES = [rung.name for rung in RUNGS[:4]]
LOST_AND_WON = ((200, 300), (100, 300), (250, 250))


@pytest.fixture(scope="module")
def found() -> Ladder:
    accuracies = [0.88 + number / 250 + np.random.default_rng(number).normal(0, 0.0002, 5) for number in range(4)]
    accuracies[3] = accuracies[2][::-1]
    rungs = [{"seeds": list(range(5)), "test/accuracy": each.tolist()} for each in accuracies]
    steps: list[dict[str, Any]] = [{"seeds": list(range(5)), "lost_and_won": [[*pair]] * 5} for pair in LOST_AND_WON]
    return {
        "rungs": dict(zip(NAMES, rungs, strict=True)),
        "steps": dict(zip(NAMES[1:], steps, strict=True)),
    }


def test_each_rung_that_is_no_recipe_differs_from_the_one_below_in_few_groups() -> None:
    ladder = read_ladder()
    assert set(compared_with()) < set(ladder["rungs"])
    for above in compared_with():
        groups = {key.partition(".")[0] for key in changed_settings(ladder, above)}
        assert groups
        assert above in RECIPES or len(groups) <= MOST_CHANGED, f"{above}: {groups}"


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_is_a_rung_without_changes(recipe: str) -> None:
    assert next(rung for rung in RUNGS if rung.name == recipe).command == [f"experiment={recipe}"]


def test_settings_that_only_the_rung_below_has_are_no_change() -> None:
    below, above = {"optimizer.rho": 0.9, "loss.name": "bce"}, {"loss.name": "mse", "new": 1}
    assert changed(below, above) == {"loss.name": "mse", "new": 1}


def test_p_values_are_those_of_scipy_adjusted_for_the_number_of_steps(found: Ladder) -> None:
    p = p_values(found)
    accuracies = [np.array(found["rungs"][name]["test/accuracy"]) for name in NAMES]
    seeds = [stats.ttest_rel(above, below).pvalue for below, above in pairwise(accuracies)]
    reviews = [min(1.0, 2 * mcnemar_p(*pair)) for pair in LOST_AND_WON]
    assert [each for each, _ in p.values()] == pytest.approx(holm(seeds), rel=1e-6)
    assert [each for _, each in p.values()] == pytest.approx(holm(reviews))
    assert [is_shown(each) for each in p.values()] == [True, True, False]


def test_several_p_values_become_twice_their_median() -> None:
    assert combined([0.01, 0.9, 0.02]) == pytest.approx(0.04)
    assert combined([0.9, 0.8, 0.7]) == 1.0
    assert combined([]) is None


def test_a_step_is_shown_only_by_both_tests() -> None:
    assert is_shown((0.01, 0.04))
    assert not is_shown((0.01, 0.2))
    assert not is_shown((None, 0.01))


def _sweep(folder: SweepFolder, right: list[list[bool]]) -> None:
    jobs = [SweepJob(f"seed-{seed}", [], {"seed": seed}) for seed in range(len(right))]
    folder.write(Sweep("lecture", "imdbclf train -m", ["seed"], jobs))
    for job, hits in zip(jobs, right, strict=True):
        run = folder.run(job)
        run.path.mkdir(parents=True)
        write_json(run.metrics, {"test/accuracy": float(np.mean(hits)), "parameters": 3})
        chances = [0.9 if hit else 0.1 for hit in hits]
        ids = [f"{number:04x}" for number in range(len(hits))]
        table = pa.table({"id": ids, "label": pa.array([1] * len(hits), pa.int8()), "probability": chances})
        pq.write_table(table, run.predictions)


def test_a_step_counts_the_reviews_that_are_lost_and_won(tmp_path: Path) -> None:
    below, above = (SweepFolder(tmp_path / name) for name in NAMES[:2])
    _sweep(below, [[True, True, False, False], [True, True, True, True]])
    _sweep(above, [[True, False, True, True], [True, True, True, False]])
    rungs = {folder.path.name: rung_metrics(folder) for folder in (below, above)}
    assert rungs[NAMES[1]]["test/accuracy"] == [0.75, 0.75]
    assert compared(rungs, tmp_path)[NAMES[1]] == {"seeds": [0, 1], "lost_and_won": [[1, 2], [1, 0]]}


def test_a_run_that_is_not_done_is_named(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    folder.write(Sweep("lecture", "imdbclf train -m", ["seed"], [SweepJob("seed-0", [], {"seed": 0})]))
    with pytest.raises(UserError, match="the job seed-0 is unfinished"):
        rung_metrics(folder)


def test_a_recipe_that_has_changed_since_is_found() -> None:
    refuse_other_settings("lecture", {"features.marks": False}, {"features.sentence_ends": False, "new": 1})
    with pytest.raises(UserError, match=r"lecture was measured with trainer\.max_epochs=3, now it is 4; run: make"):
        refuse_other_settings("lecture", {"trainer.max_epochs": 3}, {"trainer.max_epochs": 4})
