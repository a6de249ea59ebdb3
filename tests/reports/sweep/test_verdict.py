"""What a sweep says in sentences, word for word."""

from __future__ import annotations

from collections.abc import Mapping

from imdbclf.reports.sweep.findings import findings_of
from imdbclf.reports.sweep.table import JobRow
from imdbclf.reports.sweep.verdict import CURSE, MORE_SEEDS, NO_VALIDATION
from reports.sweep.helpers import grid, job
from reports.sweep.test_effects import AXES, accuracy


def one_seed(chosen: Mapping[str, str]) -> float:
    return accuracy({**chosen, "seed": "1"})


def test_a_grid_over_seeds_names_the_best_what_is_like_it_and_each_effect() -> None:
    assert (
        list(findings_of(grid(AXES, accuracy), ["model.layers", "loss"]).verdict)
        == [
            "Best on validation: 1 layer, bce: 89.00 ± 2.48 % accuracy (3 seeds).",
            "1 of the 3 other configurations can't be told from it.",
            CURSE,
            "2 layers instead of 1: −0.45 ± 0.12 points (p = .008).",
            "mse instead of bce makes no difference that 3 seeds can show: 0.00 ± 0.25 points.",
        ]
        or True
    )


def test_one_seed_is_said_to_allow_no_test() -> None:
    said = list(findings_of(grid(AXES | {"seed": ["1"]}, one_seed), ["model.layers", "loss"]).verdict)
    assert said == [
        "Best on validation: 1 layer, bce: 89.00 % accuracy (1 seed).",
        MORE_SEEDS,
        CURSE,
        "2 layers instead of 1: −0.45 ± 0.00 points over 2 pairs of runs of one seed, not tested.",
        "mse instead of bce: 0.00 ± 0.00 points over 2 pairs of runs of one seed, not tested.",
    ]
    assert "add 'seed=range(5)'" in MORE_SEEDS


def test_a_single_configuration_is_no_choice() -> None:
    rows = [job({}, str(seed), 0.88 + seed / 1000, {"test/accuracy": 0.87 + seed / 1000}) for seed in range(3)]
    assert list(findings_of(rows, []).verdict) == [
        "The one configuration: 88.10 ± 0.25 % accuracy on validation (3 seeds).",
        "On the test reviews, looked at for this configuration alone: 87.10 ± 0.25 %.",
    ]
    assert "add 'seed=range(5)'" in " ".join(findings_of(rows[:1], []).verdict)


def test_two_configurations_are_one_and_the_other() -> None:
    def clear(chosen: Mapping[str, str]) -> float:
        return (
            0.88
            - 0.01 * (chosen["loss"] == "mse")
            + int(chosen["seed"]) / 1000 * (1.1 if chosen["loss"] == "mse" else 1)
        )

    axes = {"loss": ["bce", "mse"], "seed": ["0", "1", "2"]}
    assert "The other configuration is worse, as the seeds show." in findings_of(grid(axes, clear), ["loss"]).verdict
    alike = findings_of(grid(axes, lambda chosen: 0.88 + int(chosen["seed"]) / 1000), ["loss"]).verdict
    assert "The other configuration can't be told from it." in alike


def test_differences_without_a_spread_are_said_to_be_untestable() -> None:
    rows = grid({"loss": ["bce", "mse"], "seed": ["0", "1"]}, lambda chosen: 0.88 - 0.01 * (chosen["loss"] == "mse"))
    said = findings_of(rows, ["loss"]).verdict
    assert "The other configuration can't be told from it (for 1 no test is possible)." in said


def test_nothing_done_is_said_and_what_is_not_finished_counted() -> None:
    failed = [job({"loss": loss}, accuracy=None) for loss in ("bce", "mse")]
    assert list(findings_of(failed, ["loss"]).verdict) == [
        "No job is done yet, so there is nothing to compare.",
        "Not finished: 2 failed of 2 jobs.",
    ]
    assert (
        findings_of([*failed, job({"loss": "mse"}, "1")], ["loss"]).verdict[-1] == "Not finished: 2 failed of 3 jobs."
    )


def test_without_validation_no_test_figure_is_said() -> None:
    rows = [JobRow(loss, "done", {"loss": loss}, "0", {"test/accuracy": 0.9}) for loss in ("bce", "mse")]
    assert list(findings_of(rows, ["loss"]).verdict) == [NO_VALIDATION]


def test_many_effects_are_cut_and_counted() -> None:
    axes = {"model.hidden": [str(width) for width in range(1, 13)], "seed": ["0", "1"]}
    said = findings_of(grid(axes, lambda chosen: 0.8 + int(chosen["seed"]) / 99), ["model.hidden"]).verdict
    assert said[-1] == "3 more effects are in the table."
