"""Main effects against values worked by hand and means of whole grids."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from imdbclf.reports.sweep.effects import main_effects, values_of
from reports.sweep.helpers import grid

AXES = {"model.layers": ["1", "2"], "loss": ["bce", "mse"], "seed": ["0", "1", "2"]}


def accuracy(chosen: Mapping[str, str]) -> float:
    """Seeds differ by points, layers by .5 (a bit more or less by seed), loss not at all on average."""
    seed = int(chosen["seed"])
    layers = (0.0, -0.004 - 0.0005 * seed)[chosen["model.layers"] == "2"]
    return 0.88 + 0.01 * seed + layers + (seed - 1) * 0.001 * (chosen["loss"] == "mse")


def test_an_effect_is_the_mean_over_seeds_of_the_mean_over_matched_cells() -> None:
    layers, loss = main_effects(grid(AXES, accuracy), ["model.layers", "loss"])
    assert (layers.reference, layers.value, layers.unit, layers.cells) == ("1", "2", "seed", 2)
    assert layers.differences == pytest.approx([-0.004, -0.0045, -0.005])
    assert loss.differences == pytest.approx([-0.001, 0, 0.001])
    low, high = stats.t.interval(0.95, 2, layers.mean, stats.sem(layers.differences))
    assert layers.half == pytest.approx((high - low) / 2)


def test_the_p_values_are_of_paired_t_tests_over_seeds_and_adjusted_over_all_effects() -> None:
    layers, loss = main_effects(grid(AXES, accuracy), ["model.layers", "loss"])
    raw = stats.ttest_1samp([-0.004, -0.0045, -0.005], 0).pvalue
    assert (layers.p, loss.p) == pytest.approx((2 * raw, 1.0))
    assert (layers.is_significant, loss.is_significant) == (True, False)


def test_every_value_is_compared_with_the_first_as_given() -> None:
    axes = {"model.hidden": ["64", "16", "[32,16]"], "seed": ["0", "1"]}
    sizes = {"64": 0.9, "16": 0.88, "[32,16]": 0.89}
    rows = grid(
        axes, lambda chosen: sizes[chosen["model.hidden"]] + int(chosen["seed"]) * len(chosen["model.hidden"]) / 1e4
    )
    effects = main_effects(rows, ["model.hidden"])
    assert values_of(rows, "model.hidden") == ["64", "16", "[32,16]"]
    assert [(effect.reference, effect.value) for effect in effects] == [("64", "16"), ("64", "[32,16]")]


def test_one_seed_gives_an_interval_over_cells_and_no_test() -> None:
    rows = [row for row in grid(AXES, accuracy) if row.seed == "1"]
    layers, _ = main_effects(rows, ["model.layers", "loss"])
    assert (layers.unit, layers.cells, layers.p, layers.is_significant) == ("cell", 2, None, False)
    assert layers.differences == pytest.approx([-0.0045, -0.0045])
    assert layers.half == pytest.approx(0, abs=1e-12)


def test_one_pair_has_no_interval() -> None:
    rows = grid({"loss": ["bce", "mse"], "seed": ["0"]}, lambda chosen: 0.88 + 0.01 * (chosen["loss"] == "mse"))
    (effect,) = main_effects(rows, ["loss"])
    assert effect.mean == pytest.approx(0.01)
    assert (effect.half, effect.p) == (None, None)


def test_cells_without_a_match_are_left_out() -> None:
    def mostly(chosen: Mapping[str, str]) -> float | None:
        lost = (chosen["model.layers"], chosen["loss"], chosen["seed"]) == ("2", "mse", "2")
        return None if lost else accuracy(chosen)

    layers, loss = main_effects(grid(AXES, mostly), ["model.layers", "loss"])
    # Of seed 2 the pair of bce is left, and of the losses the pair of one layer.
    assert layers.differences == pytest.approx([-0.004, -0.0045, -0.005])
    assert loss.differences == pytest.approx([-0.001, 0, 0.001])


def test_a_value_that_is_never_matched_has_no_effect() -> None:
    rows = [
        row for row in grid(AXES, accuracy) if (row.choices["model.layers"] == "1") == (row.choices["loss"] == "bce")
    ]
    assert main_effects(rows, ["model.layers", "loss"]) == []
    assert main_effects([], ["loss"]) == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=12, max_size=12))
def test_effects_of_a_whole_grid_are_differences_of_its_means(accuracies: list[float]) -> None:
    numbers = iter(accuracies)
    rows = grid(AXES, lambda _: next(numbers))
    cube = np.array(accuracies).reshape(2, 2, 3)
    layers, loss = main_effects(rows, ["model.layers", "loss"])
    assert layers.mean == pytest.approx(cube[1].mean() - cube[0].mean(), abs=1e-9)
    assert loss.mean == pytest.approx(cube[:, 1].mean() - cube[:, 0].mean(), abs=1e-9)
    assert layers.differences == pytest.approx((cube[1] - cube[0]).mean(axis=0), abs=1e-9)
