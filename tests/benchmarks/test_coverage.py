"""The simulation of intervals and tests over seeds, where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.coverage import coverage, errors, intervals, p_values
from imdbclf.reports.statistics import half_width, paired_p

SKEWED = np.array([0.8848, 0.8863, 0.8872, 0.8878, 0.8857, 0.8801, 0.8813, 0.8675, 0.8849, 0.8856])
NORMAL = np.random.default_rng(0).normal(0.88, 0.003, 1_000)


def test_the_simulated_interval_and_test_are_those_of_the_package() -> None:
    low, high = intervals(SKEWED[None], np.random.default_rng(0))["bootstrap-t, symmetric"]
    assert half_width(SKEWED) == pytest.approx((high[0] - low[0]) / 2, rel=0.1)
    p = p_values(SKEWED[None] - 0.8800, np.random.default_rng(0))["bootstrap-t, symmetric"][0]
    assert paired_p(SKEWED, np.full(10, 0.88)) == pytest.approx(p, abs=0.03)


def test_an_interval_of_normal_values_holds_its_mean_in_95_of_100_samples() -> None:
    seen = coverage(NORMAL, 10, samples=400)
    for method in ("Student's t", "bootstrap-t, symmetric"):
        assert seen[method]["held"] == pytest.approx(0.95, abs=0.03)
    assert seen["bootstrap, percentiles"]["held"] < seen["Student's t"]["held"]


def test_an_interval_of_skewed_values_holds_less_often() -> None:
    seen = coverage(SKEWED, 5, samples=400)
    assert all(method["held"] < 0.93 for method in seen.values())


def test_five_permuted_signs_never_find_a_difference() -> None:
    seen = errors(NORMAL, 5, samples=200)
    assert seen["permuted signs"] == {"false": 0, "found": 0}
    assert seen["paired t"]["false"] == pytest.approx(0.05, abs=0.05)
    assert seen["paired t"]["found"] > 0.2
