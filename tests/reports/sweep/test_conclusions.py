"""The conclusions of a sweep, word for word."""

from __future__ import annotations

from collections.abc import Mapping

from imdbclf.reports.sweep.conclusions import FEW, NO_VALIDATION, ONE_SEED, OPTIMISTIC, SEARCHED, conclusions_of
from imdbclf.reports.sweep.job_table import JobRow
from reports.sweep.helpers import grid, job
from reports.sweep.test_analysis import AXES, accuracy

AS_GOOD = "the others may be as good"


def one_seed(chosen: Mapping[str, str]) -> float:
    return accuracy({**chosen, "seed": "1"})


def test_a_grid_over_seeds_says_what_is_best_what_mattered_and_what_may_be_concluded() -> None:
    found = conclusions_of(grid(AXES, accuracy), ["model.layers", "loss"])
    assert list(found.sentences) == [
        "Best on validation: 1 layer, bce (accuracy 89.00 ± 2.48 %, 3 seeds), 0.00 points ahead of the next.",
        "What mattered: 2 layers instead of 1 (−0.45 points); 3 seeds show no difference for loss.",
        f"Of 3 other configurations, 2 are clearly worse than the best, and {AS_GOOD}; {FEW.format(3)}.",
    ]
    assert list(found.details) == [
        "Not significantly worse: 1 of 3 other configurations.",
        OPTIMISTIC,
        "2 layers instead of 1: −0.45 ± 0.12 points (p = .008).",
        "mse instead of bce: 0.00 ± 0.25 points, not significant with 3 seeds.",
    ]


def test_with_one_seed_nothing_is_tested() -> None:
    found = conclusions_of(grid(AXES | {"seed": ["1"]}, one_seed), ["model.layers", "loss"])
    assert list(found.sentences) == [
        "Best on validation: 1 layer, bce (accuracy 89.00 %, 1 seed), 0.00 points ahead of the next.",
        "Largest difference: 2 layers instead of 1 (−0.45 points).",
        ONE_SEED,
    ]
    assert list(found.details) == [
        OPTIMISTIC,
        "2 layers instead of 1: −0.45 ± 0.00 points over 2 pairs of runs with one seed, not tested.",
        "mse instead of bce: 0.00 ± 0.00 points over 2 pairs of runs with one seed, not tested.",
    ]
    assert "add 'seed=range(10)'" in ONE_SEED


def test_a_single_configuration_is_reported_without_a_choice() -> None:
    rows = [job({}, str(seed), 0.88 + seed / 1000, {"test/accuracy": 0.87 + seed / 1000}) for seed in range(3)]
    found = conclusions_of(rows, [])
    assert list(found.sentences) == [
        "The one configuration: 88.10 ± 0.25 % validation accuracy (3 seeds); test accuracy 87.10 ± 0.25 %.",
        f"{FEW.format(3)}.",
    ]
    assert not found.details
    assert "add 'seed=range(10)'" in " ".join(conclusions_of(rows[:1], []).sentences)


def test_from_ten_seeds_on_there_is_no_warning() -> None:
    for seeds, warned in ((2, True), (9, True), (10, False)):
        rows = [job({}, str(seed), 0.88 + seed / 1000) for seed in range(seeds)]
        assert (f"{FEW.format(seeds)}." in conclusions_of(rows, []).sentences) == warned
    assert FEW.format(9).endswith("add more ('seed=range(10)')")


def test_a_verdict_that_the_correction_changes_says_so() -> None:
    def close(chosen: Mapping[str, str]) -> float:
        seed, units = int(chosen["seed"]), int(chosen["model.hidden"])
        return 0.88 + seed / 1000 - (units > 1) * (0.001 + ((seed * units) % 11) / 5000)

    def said(units: int) -> str:
        axes = {"model.hidden": [str(unit) for unit in range(1, units + 1)], "seed": [*"0123"]}
        return " ".join(conclusions_of(grid(axes, close), ["model.hidden"]).details)

    assert "2 units instead of 1: −0.16 ± 0.08 points (p = .008)." in said(2)
    assert "6 of them have p below .05 alone, but not adjusted for 6 tests: some do by chance." in said(7)
    assert "2 units instead of 1: −0.16 ± 0.08 points, not significant: p = .008 alone, but .051 adjusted" in said(7)


def test_of_two_configurations_the_other_is_worse_or_not() -> None:
    def clear(chosen: Mapping[str, str]) -> float:
        return (
            0.88
            - 0.01 * (chosen["loss"] == "mse")
            + int(chosen["seed"]) / 1000 * (1.1 if chosen["loss"] == "mse" else 1)
        )

    axes = {"loss": ["bce", "mse"], "seed": ["0", "1", "2"]}
    worse = conclusions_of(grid(axes, clear), ["loss"])
    assert worse.sentences[1:] == [
        "What mattered: mse instead of bce (−0.99 points).",
        f"Of 1 other configuration, 1 is clearly worse than the best; {FEW.format(3)}.",
    ]
    assert "Not significantly worse: 0 of 1 other configuration." in worse.details
    alike = conclusions_of(grid(axes, lambda chosen: 0.88 + int(chosen["seed"]) / 1000), ["loss"])
    assert alike.sentences[1:] == [
        "3 seeds show no difference for loss.",
        f"Of 1 other configuration, none is clearly worse than the best, and {AS_GOOD}; {FEW.format(3)}.",
    ]
    assert "Not significantly worse: 1 of 1 other configuration." in alike.details


def test_differences_without_a_spread_are_not_tested() -> None:
    rows = grid({"loss": ["bce", "mse"], "seed": ["0", "1"]}, lambda chosen: 0.88 - 0.01 * (chosen["loss"] == "mse"))
    said = conclusions_of(rows, ["loss"]).details
    assert "Not significantly worse: 1 of 1 other configuration (no test is possible for 1)." in said
    assert "mse instead of bce: −1.00 ± 0.00 points, not tested." in said


def test_a_single_configuration_without_validation_is_named() -> None:
    row = JobRow("one", "done", {"loss": "bce"}, "0", {"test/accuracy": 0.9})
    assert (
        conclusions_of([row], ["loss"]).sentences[0] == "bce: 1 seed, without a validation part; test accuracy 90.00 %."
    )


def test_a_single_configuration_without_validation_says_how_far_its_seeds_spread() -> None:
    rows = [JobRow(seed, "done", {}, seed, {"test/accuracy": 0.88 + 0.01 * int(seed)}) for seed in "012"]
    assert list(conclusions_of(rows, []).sentences) == [
        "The one configuration: 3 seeds, without a validation part; test accuracy 89.00 ± 2.48 % "
        "(from 88.00 % to 90.00 %, standard deviation 1.00 points).",
        f"{FEW.format(3)}.",
    ]


def test_jobs_that_are_not_finished_are_counted() -> None:
    failed = [job({"loss": loss}, accuracy=None) for loss in ("bce", "mse")]
    assert list(conclusions_of(failed, ["loss"]).sentences) == [
        "No job is done yet, so there is nothing to compare.",
        "Not finished: 2 failed of 2 jobs.",
    ]
    some = conclusions_of([*failed, job({"loss": "mse"}, "1")], ["loss"]).sentences
    assert some[-1] == "Not finished: 2 failed of 3 jobs."


def test_without_validation_no_test_metric_is_reported() -> None:
    rows = [JobRow(loss, "done", {"loss": loss}, "0", {"test/accuracy": 0.9}) for loss in ("bce", "mse")]
    assert list(conclusions_of(rows, ["loss"]).sentences) == [NO_VALIDATION]


def test_a_search_says_that_its_best_was_chosen_from_many() -> None:
    rows = grid({"model.hidden": ["16", "32"], "seed": ["0"]}, lambda chosen: 0.8 + int(chosen["model.hidden"]) / 1000)
    found = conclusions_of(rows, ["model.hidden"], "val/accuracy")
    assert list(found.sentences) == [
        "Best on validation: 32 units (accuracy 83.20 %, 1 seed), 1.60 points ahead of the next.",
        "It is the best of 2 configurations with one seed each, so its metrics may be slightly optimistic.",
    ]
    assert list(found.details) == [SEARCHED]
