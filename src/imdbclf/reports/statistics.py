"""Confidence intervals and significance tests: small functions of plain numbers, each with its source."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import stats

CONFIDENCE = 0.95

SIGNIFICANCE = 0.05
"""A difference with a p value below this is called significant."""

RESAMPLES = 99_999
"""Bootstrap samples: enough that the ends of an interval vary by less than a hundredth of its length."""

DRAWN = 9_999
"""Bootstrap samples of a mean over seeds."""

FEWEST, MOST = 10, 100
"""Numbers of values that have a bootstrap-t: fewer are too few for any method, and of more it is Student's."""

_ROUNDING = 1e-12
"""Smaller differences between differences of accuracies are rounding errors."""


def proportion_interval(hits: int, n: int) -> tuple[float, float]:
    """Wilson's score interval (Wilson, 1927). It stays inside [0, 1] and keeps its level near 0 and 1."""
    interval = stats.binomtest(hits, n).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def mean_interval(values: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    """Student's t interval of a mean over many values (Student, 1908); None for fewer than two."""
    if len(values) < 2:  # noqa: PLR2004 - a spread needs two
        return None
    mean, half = float(values.mean()), _students_half_width(values)
    return mean - half, mean + half


def half_width(values: npt.NDArray[np.float64]) -> float | None:
    """Half of the interval of a mean over seeds: the symmetric bootstrap-t (Hall, 1988); None for fewer than two.

    Metrics over seeds are skewed, so Student's interval is too small (docs/statistics.md). It is used for fewer values
    than `FEWEST`, for more than `MOST`, and where most values are equal.
    """
    if len(values) < 2:  # noqa: PLR2004 - a spread needs two
        return None
    if (drawn := _drawn_t(values)) is None:
        return _students_half_width(values)
    return float(stats.sem(values) * np.quantile(drawn, CONFIDENCE, method="higher"))


def _students_half_width(values: npt.NDArray[np.float64]) -> float:
    # `stats.t.interval` has none where all values are equal.
    return float(stats.sem(values) * stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))


def paired_p(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float | None:
    """The two-sided p value of a paired test over seeds: do both have the same mean?

    It is that of the interval of `half_width`: the fraction of bootstrap samples whose t statistic is at least that of
    the differences, or Student's paired t test (Student, 1908) where the interval is Student's. None if no test is
    possible: fewer than two pairs, or differences that are all equal and not 0, so that their variance cannot be
    estimated. If all differences are 0, p is 1.
    """
    differences = first - second
    if len(differences) < 2:  # noqa: PLR2004 - a spread needs two
        return None
    if np.ptp(differences) < _ROUNDING:
        return 1.0 if abs(float(differences[0])) < _ROUNDING else None
    found = stats.ttest_rel(first, second)
    if (drawn := _drawn_t(differences)) is None:
        return float(found.pvalue)
    return float((np.count_nonzero(drawn >= abs(found.statistic)) + 1) / (DRAWN + 1))


def _drawn_t(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """The absolute t statistics of bootstrap samples, (DRAWN,), infinite where all values of a sample are equal.

    None where Student's distribution is used.
    """
    if not FEWEST <= len(values) <= MOST:
        return None
    # In this order, so that the result does not depend on that of the seeds.
    ordered = np.sort(values)
    centred, weights = ordered - ordered.mean(), _drawn_weights(len(values))
    means = weights @ centred
    variances = weights @ centred**2 - means**2
    equal = variances <= _ROUNDING * centred.var()
    if equal.mean() >= 1 - CONFIDENCE:
        return None
    drawn: npt.NDArray[np.float64] = np.full(DRAWN, np.inf)
    drawn[~equal] = np.abs(means[~equal]) * np.sqrt((len(values) - 1) / variances[~equal])
    return drawn


@cache
def _drawn_weights(n: int) -> npt.NDArray[np.float64]:
    """How often each of n values is in a bootstrap sample, divided by n, (DRAWN, n)."""
    return np.random.default_rng(n).multinomial(n, np.full(n, 1 / n), size=DRAWN) / n


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values adjusted for multiple tests, in the order given: Holm's step-down method (Holm, 1979).

    The smallest is multiplied by their number, the next by one less, and so on; none may be below the one before it.
    The probability of at least one false positive is then at most the significance level.
    """
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, k in enumerate(sorted(range(len(p_values)), key=lambda k: p_values[k])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = least
    return adjusted


def holm_where_tested(p_values: Sequence[float | None]) -> list[float | None]:
    """`holm` of the values that are not None; a test that was not possible does not count."""
    adjusted = iter(holm([p for p in p_values if p is not None]))
    return [None if p is None else next(adjusted) for p in p_values]


def mcnemar_p(only_first: int, only_second: int) -> float:
    """The exact two-sided McNemar test (McNemar, 1947): do two networks have the same accuracy?

    It is a binomial test of the discordant pairs, the reviews that only one network gets right: with the same accuracy,
    each network has half of them on average. Without discordant pairs, p is 1.
    """
    discordant = only_first + only_second
    return float(stats.binomtest(only_first, discordant).pvalue) if discordant else 1.0


def paired_accuracy_interval(only_first: int, only_second: int, n: int, seed: int = 0) -> tuple[float, float]:
    """The bootstrap interval (Efron, 1979; percentiles) of the second accuracy minus the first, on the same n reviews.

    Drawing n of n pairs with replacement and counting the reviews that only one network gets right gives counts from a
    multinomial distribution. So the counts are drawn directly, which is faster.
    """
    fractions = np.array([only_first, only_second, n - only_first - only_second]) / n
    counts = stats.multinomial.rvs(n, fractions, size=RESAMPLES, random_state=seed)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile((counts[:, 1] - counts[:, 0]) / n, [tail, 100 - tail])
    return float(low), float(high)
