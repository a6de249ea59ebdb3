"""Configurations, their order and comparisons, and main effects, against values worked by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from imdbclf.reports.sweep.analysis import compare_with_best, configurations_of, main_effects, selected
from imdbclf.reports.sweep.job_table import JobRow
from reports.sweep.helpers import grid, job

SEEDS = ("0", "1", "2", "3", "4")
BY_SEED = {
    "relu": (0.881, 0.885, 0.879, 0.884, 0.883),
    "tanh": (0.880, 0.886, 0.878, 0.884, 0.882),
    "selu": (0.861, 0.866, 0.858, 0.864, 0.861),
}
ACTIVATIONS = grid(
    {"model.activation": list(BY_SEED), "seed": SEEDS},
    lambda chosen: BY_SEED[chosen["model.activation"]][int(chosen["seed"])],
)


def test_configurations_are_ordered_by_mean_accuracy() -> None:
    assert [one.label for one in configurations_of(ACTIVATIONS[::-1])] == ["relu", "tanh", "selu"]


def test_mean_and_interval_are_over_seeds() -> None:
    relu = configurations_of(ACTIVATIONS)[0]
    values = np.array(BY_SEED["relu"])
    low, high = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert (relu.mean("val/accuracy"), relu.half("val/accuracy")) == pytest.approx((values.mean(), (high - low) / 2))


def test_the_best_is_compared_seed_by_seed_with_holms_p_values() -> None:
    tanh, selu = compare_with_best(configurations_of(ACTIVATIONS))
    raw = [stats.ttest_rel(BY_SEED["relu"], BY_SEED[name]).pvalue for name in ("tanh", "selu")]
    assert (tanh.configuration.label, selu.configuration.label) == ("tanh", "selu")
    assert (tanh.p, selu.p) == pytest.approx(raw)
    assert (tanh.p_holm, selu.p_holm) == pytest.approx((raw[0], 2 * raw[1]))
    assert (tanh.is_significant, selu.is_significant) == (False, True)
    assert selu.mean == pytest.approx(np.mean(np.subtract(BY_SEED["relu"], BY_SEED["selu"])))


def test_with_one_seed_there_is_no_test() -> None:
    comparisons = compare_with_best(configurations_of([row for row in ACTIVATIONS if row.seed == "0"]))
    found = [(len(one.differences), one.half, one.p, one.is_significant) for one in comparisons]
    assert found == [(1, None, None, False)] * 2


def test_a_failed_job_leaves_the_common_seeds_to_compare() -> None:
    rows = [row for row in ACTIVATIONS if (row.choices["model.activation"], row.seed) != ("selu", "0")]
    rows.append(job({"model.activation": "selu"}, "0", None))
    selu = compare_with_best(configurations_of(rows))[-1]
    raw = stats.ttest_rel(BY_SEED["relu"][1:], BY_SEED["selu"][1:]).pvalue
    assert len(selu.differences) == 4
    assert (selu.p, selu.p_holm) == pytest.approx((raw, 2 * raw))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.86, 0.87), min_size=5, max_size=5))
def test_a_further_value_of_an_axis_changes_no_other_comparison_but_its_correction(further: list[float]) -> None:
    more = [job({"model.activation": "gelu"}, seed, value) for seed, value in zip(SEEDS, further, strict=True)]
    before, after = (
        {one.configuration.label: one for one in compare_with_best(configurations_of(rows))}
        for rows in (ACTIVATIONS, [*ACTIVATIONS, *more])
    )
    for name, one in before.items():
        assert (after[name].differences, after[name].p, after[name].half) == (one.differences, one.p, one.half)
        assert (after[name].p_holm or 0) >= (one.p_holm or 0)


def test_a_configuration_with_only_an_easy_seed_is_not_the_best() -> None:
    rows = [*ACTIVATIONS, job({"model.activation": "gelu"}, "1", 0.95)]
    configurations = configurations_of(rows)
    assert [one.label for one in configurations] == ["relu", "tanh", "selu", "gelu"]
    assert selected(configurations) is configurations[0]


def test_equal_accuracies_are_ordered_by_loss_value_within_a_loss_and_by_name_between_losses() -> None:
    losses = {("mse", "2"): 0.08, ("mse", "1"): 0.09, ("bce", "2"): 0.28, ("bce", "1"): 0.29}
    rows = [
        job({"loss": loss, "model.layers": layers}, accuracy=0.9, metrics={"val/loss": value})
        for (loss, layers), value in losses.items()
    ]
    assert [one.label for one in configurations_of(rows)] == [
        "bce, 2 layers",
        "bce, 1 layer",
        "mse, 2 layers",
        "mse, 1 layer",
    ]


def test_a_diverged_run_is_ranked_by_its_accuracy() -> None:
    rows = [job({"loss": "bce"}, accuracy=0.5, metrics={"val/loss": float("nan")}), job({"loss": "mse"}, accuracy=0.9)]
    assert [one.label for one in configurations_of(rows)] == ["mse", "bce"]


def test_equal_accuracies_have_a_p_value_of_one() -> None:
    rows = grid({"loss": ["bce", "mse"], "seed": SEEDS}, lambda chosen: 0.88 + int(chosen["seed"]) / 1000)
    (comparison,) = compare_with_best(configurations_of(rows))
    assert (comparison.mean, comparison.half, comparison.p) == (0, 0, 1)


def test_without_validation_only_a_single_configuration_is_selected() -> None:
    rows = [JobRow(loss, "done", {"loss": loss}, "0", {"test/accuracy": 0.8}) for loss in ("bce", "mse")]
    configurations = configurations_of(rows)
    assert selected(configurations) is None
    assert compare_with_best(configurations) == []
    assert selected(configurations[:1]) is configurations[0]
    assert selected([]) is None


def test_without_common_seeds_there_is_nothing_to_compare() -> None:
    rows = [job({"loss": "bce"}, "0", 0.9), job({"loss": "mse"}, "1", 0.8)]
    (comparison,) = compare_with_best(configurations_of(rows))
    assert (comparison.differences, comparison.half, comparison.p) == ((), None, None)


@settings(max_examples=20, deadline=None)
@given(st.permutations(ACTIVATIONS))
def test_the_order_of_the_jobs_does_not_matter(rows: list[JobRow]) -> None:
    assert [one.label for one in configurations_of(rows)] == ["relu", "tanh", "selu"]


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
    assert (layers.p, layers.p_holm, loss.p_holm) == pytest.approx((raw, 2 * raw, 1.0))
    assert (layers.is_significant, loss.is_significant) == (True, False)


def test_every_value_is_compared_with_the_first_as_given() -> None:
    axes = {"model.hidden": ["64", "16", "[32,16]"], "seed": ["0", "1"]}
    sizes = {"64": 0.9, "16": 0.88, "[32,16]": 0.89}
    rows = grid(
        axes, lambda chosen: sizes[chosen["model.hidden"]] + int(chosen["seed"]) * len(chosen["model.hidden"]) / 1e4
    )
    effects = main_effects(rows, ["model.hidden"])
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
