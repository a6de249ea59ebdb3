"""Intervals and tests against published examples, and properties that hold for all numbers."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from imdbclf.reports.statistics import (
    FEWEST,
    MOST,
    half_width,
    holm,
    holm_where_tested,
    mcnemar_p,
    mean_interval,
    paired_accuracy_interval,
    paired_p,
    proportion_interval,
)

P_VALUES = st.lists(st.floats(0, 1), max_size=12)


def test_wilsons_interval_is_that_of_newcombes_example() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263, score method.
    assert proportion_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert proportion_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_the_interval_of_a_mean_is_students() -> None:
    # Mean 3, standard error sqrt(2.5 / 5), t(.975; 4) = 2.776445.
    half = 2.776445 * (2.5 / 5) ** 0.5
    assert mean_interval(np.array([1.0, 2, 3, 4, 5])) == pytest.approx((3 - half, 3 + half), abs=1e-5)


def test_a_single_value_has_no_interval() -> None:
    assert mean_interval(np.array([1.0])) is None


def test_equal_values_have_an_interval_of_no_length() -> None:
    assert mean_interval(np.ones(3)) == (1, 1)


SLEEP = np.array(
    [[0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0], [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]]
)
"""Student (1908), The probable error of a mean: hours of sleep gained by ten patients with two drugs."""


def test_students_sleep_data_give_the_published_test_and_interval() -> None:
    # t = 4.0621 with 9 degrees of freedom, 95 % interval .7001 to 2.4599.
    assert mean_interval(SLEEP[1] - SLEEP[0]) == pytest.approx((0.7001142, 2.4598858), abs=5e-7)


SKEWED = np.array([0.8848, 0.8863, 0.8872, 0.8878, 0.8857, 0.8801, 0.8813, 0.8675, 0.8849, 0.8856])
"""Test accuracies of the lecture's final fit, ten seeds."""


def drawn_t(values: npt.NDArray[np.float64]) -> Any:
    """The t statistics of bootstrap samples, drawn value by value."""
    samples = np.random.default_rng(1).choice(values, (20_000, len(values)))
    return np.abs(samples.mean(axis=1) - values.mean()) / stats.sem(samples, axis=1)


def test_the_interval_over_seeds_is_a_bootstrap_t_and_wider_than_students_for_skewed_seeds() -> None:
    half = half_width(SKEWED)
    assert half == pytest.approx(stats.sem(SKEWED) * np.quantile(drawn_t(SKEWED), 0.95), rel=0.05)
    assert half is not None
    assert half > 1.5 * stats.sem(SKEWED) * stats.t.ppf(0.975, len(SKEWED) - 1)


def test_the_paired_p_value_is_the_fraction_of_samples_with_a_larger_t() -> None:
    p, t = paired_p(SLEEP[1], SLEEP[0]), stats.ttest_rel(SLEEP[1], SLEEP[0]).statistic
    assert p == pytest.approx((drawn_t(SLEEP[1] - SLEEP[0]) >= t).mean(), abs=0.005)


# Differences below the rounding errors of sums count as equal, so they have no part in this.
@given(st.lists(st.integers(0, 10_000).map(lambda n: n / 10_000), min_size=10, max_size=14), st.randoms())
def test_interval_and_p_value_agree_and_do_not_depend_on_the_order_of_the_seeds(seeds: list[float], draw: Any) -> None:
    values = np.array(seeds)
    p, half = paired_p(values, np.zeros(len(values))), half_width(values)
    assert half is not None
    if p is not None and abs(p - 0.05) > 2e-4:
        assert (abs(values.mean()) > half) == (p < 0.05)
    draw.shuffle(seeds)
    assert half_width(np.array(seeds)) == pytest.approx(half)


@pytest.mark.parametrize("n", [2, FEWEST - 1, MOST + 1])
def test_few_and_many_seeds_have_students_interval_and_test(n: int) -> None:
    values = np.random.default_rng(n).normal(0.5, 1, n)
    assert half_width(values) == pytest.approx(stats.sem(values) * stats.t.ppf(0.975, n - 1))
    assert paired_p(values, np.zeros(n)) == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


def test_where_most_values_are_equal_the_interval_is_students_and_finite() -> None:
    values = np.array([0.5] * 9 + [0.6])
    assert half_width(values) == pytest.approx(stats.sem(values) * stats.t.ppf(0.975, 9))
    assert paired_p(values, np.zeros(10)) == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


def test_the_bootstrap_t_of_many_ordinary_values_is_nearly_students() -> None:
    values = np.random.default_rng(0).normal(size=MOST)
    assert half_width(values) == pytest.approx(stats.sem(values) * stats.t.ppf(0.975, MOST - 1), rel=0.03)


def test_one_pair_allows_no_test() -> None:
    assert paired_p(np.array([0.9]), np.array([0.8])) is None
    assert half_width(np.array([0.9])) is None


def test_equal_pairs_have_a_p_value_of_one() -> None:
    assert paired_p(np.array([0.8, 0.9, 0.7]), np.array([0.8, 0.9, 0.7])) == 1.0


def test_equal_differences_that_are_not_zero_cannot_be_tested() -> None:
    # As decimals they differ by .1 each; as floats the three differences are not even equal.
    first, second = np.array([0.3, 0.4, 0.9]), np.array([0.2, 0.3, 0.8])
    assert len(set(first - second)) > 1
    assert paired_p(first, second) is None


def test_holms_method_on_a_worked_example() -> None:
    # The example of the encyclopedias (Wikipedia, Holm-Bonferroni method): four hypotheses, two of them rejected.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(P_VALUES)
def test_holms_p_values_keep_their_order_and_lie_between_the_raw_and_bonferronis(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for k, p in enumerate(p_values):
        assert p <= adjusted[k] <= min(1, len(p_values) * p)
        assert all(adjusted[k] <= adjusted[j] for j in range(len(p_values)) if p < p_values[j])


@given(P_VALUES)
def test_holm_rejects_the_same_hypotheses_as_the_step_down_procedure(p_values: list[float]) -> None:
    # Holm (1979), section 3: go through the ordered p values and stop at the first above level / number left.
    rejected, left = set(), len(p_values)
    for k in sorted(range(len(p_values)), key=lambda k: p_values[k]):
        if p_values[k] * left >= 0.05:
            break
        rejected.add(k)
        left -= 1
    assert {k for k, p in enumerate(holm(p_values)) if p < 0.05} == rejected


def test_a_test_that_was_not_possible_does_not_count() -> None:
    assert holm_where_tested([0.01, None, 0.02]) == [0.02, None, 0.02]


def test_mcnemars_exact_test_on_the_approval_ratings() -> None:
    # Agresti, Categorical Data Analysis, section 11.1: 1,600 Britons asked twice, 794 / 150 / 86 / 570; z² = 17.36.
    exact = 2 * sum(comb(236, k) for k in range(86 + 1)) / 2**236
    assert mcnemar_p(150, 86) == pytest.approx(exact)
    assert mcnemar_p(150, 86) == pytest.approx(3.716e-05, abs=5e-9)
    assert stats.chi2.isf(mcnemar_p(150, 86), 1) == pytest.approx(17.36, rel=0.03)


def test_mcnemars_test_without_discordant_pairs_has_a_p_value_of_one() -> None:
    assert mcnemar_p(0, 0) == 1.0


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemars_test_is_symmetric(only_first: int, only_second: int) -> None:
    assert mcnemar_p(only_first, only_second) == pytest.approx(mcnemar_p(only_second, only_first))


def test_drawing_counts_gives_the_bootstrap_interval_over_reviews() -> None:
    right = np.zeros((2, 400))
    right[0, :210], right[1, 30:] = 1, 1  # 30 only the first, 190 only the second
    drawn = stats.bootstrap(
        (right[0], right[1]),
        lambda first, second, axis: second.mean(axis) - first.mean(axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=20_000,
        random_state=1,
    ).confidence_interval
    assert paired_accuracy_interval(30, 190, 400) == pytest.approx((drawn.low, drawn.high), abs=0.004)


def test_the_bootstrap_interval_of_many_reviews_is_that_of_the_normal_distribution() -> None:
    # Agresti, section 11.1: the approval fell by .040 ± .0187.
    assert paired_accuracy_interval(150, 86, 1600) == pytest.approx((-0.0587, -0.0213), abs=0.0015)


def test_the_bootstrap_interval_is_the_same_every_time() -> None:
    assert paired_accuracy_interval(150, 86, 1600) == paired_accuracy_interval(150, 86, 1600)
