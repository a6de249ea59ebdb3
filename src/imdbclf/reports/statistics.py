"""Intervals and tests: small functions of plain numbers, each after its source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

CONFIDENCE = 0.95

SIGNIFICANCE = 0.05
"""A p value below this one is called a difference."""

RESAMPLES = 99_999
"""Bootstrap samples of an interval: its ends then move by less than a hundredth of its length."""

_ROUNDING = 1e-12
"""Differences of accuracies that differ by less are equal: what is left is rounding."""


def proportion_interval(hits: int, n: int) -> tuple[float, float]:
    """Wilson's score interval (Wilson, 1927), which stays inside [0, 1] and holds its level near the ends."""
    interval = stats.binomtest(hits, n).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def mean_interval(values: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    """Student's t interval of a mean; None for a single value, which says nothing of its spread."""
    half = half_width(values)
    return None if half is None else (float(values.mean()) - half, float(values.mean()) + half)


def half_width(values: npt.NDArray[np.float64]) -> float | None:
    """Half of Student's t interval of a mean (Student, 1908); None for fewer than two values."""
    if len(values) < 2:  # noqa: PLR2004 - a spread needs two
        return None
    return float(stats.sem(values) * stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))


def paired_p(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float | None:
    """The p value of Student's paired t test (Student, 1908) that both have the same mean, two-sided.

    None where no test is possible: fewer than two pairs, or differences that are all the same without being 0, whose
    spread can't be estimated. Where all are 0, nothing speaks for a difference: 1.
    """
    differences = first - second
    if len(differences) < 2:  # noqa: PLR2004 - a spread needs two
        return None
    if np.ptp(differences) < _ROUNDING:
        return 1.0 if abs(float(differences[0])) < _ROUNDING else None
    return float(stats.ttest_rel(first, second).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values adjusted for being several, in the order given: Holm's step-down method (Holm, 1979).

    The smallest is multiplied by their number, the next by one less, and so on; none may be below the one before it.
    Whatever holds of the true differences, the chance to call any false one a difference stays below the level.
    """
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, k in enumerate(sorted(range(len(p_values)), key=lambda k: p_values[k])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = least
    return adjusted


def holm_where_tested(p_values: Sequence[float | None]) -> list[float | None]:
    """`holm` of those that are p values; where no test was possible there is nothing to adjust for."""
    adjusted = iter(holm([p for p in p_values if p is not None]))
    return [None if p is None else next(adjusted) for p in p_values]


def mcnemar_p(only_first: int, only_second: int) -> float:
    """McNemar's test (McNemar, 1947) in its exact form, two-sided.

    Of the reviews that one network gets right and the other wrong, each is the first's with chance 1/2 if the two
    have the same accuracy: a binomial test of the discordant pairs. Without any, nothing speaks for a difference.

    Args:
        only_first: reviews that only the first gets right.
        only_second: reviews that only the second gets right.
    """
    discordant = only_first + only_second
    return float(stats.binomtest(only_first, discordant).pvalue) if discordant else 1.0


def paired_accuracy_interval(only_first: int, only_second: int, n: int, seed: int = 0) -> tuple[float, float]:
    """The bootstrap interval (Efron, 1979; percentiles) of the second accuracy minus the first, on the same n reviews.

    Drawing n of the n pairs with replacement and counting who is right draws the counts from a multinomial
    distribution. Drawing the counts themselves is the same bootstrap, without going through n reviews each time.
    """
    shares = np.array([only_first, only_second, n - only_first - only_second]) / n
    counts = stats.multinomial.rvs(n, shares, size=RESAMPLES, random_state=seed)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile((counts[:, 1] - counts[:, 0]) / n, [tail, 100 - tail])
    return float(low), float(high)
