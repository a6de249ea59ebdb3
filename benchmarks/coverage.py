"""`make statistics`, second part: how often intervals over seeds hold the mean, and tests see what is not there.

Samples of 5, 10 and 20 values are drawn from measured accuracies of many seeds, whose mean is then the true one. An
interval of 95 % should hold it in 95 of 100 samples. Tests get differences between two networks, from which their mean
is subtracted: in 5 of 100 samples they may find a difference. What comes out is in benchmarks/coverage.json.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.command import MEASURED, ending_in_one_line, read_json, say
from benchmarks.docs import LECTURE_SWEEP
from imdbclf.reports.statistics import CONFIDENCE, SIGNIFICANCE
from imdbclf.reports.sweep.analysis import configurations_of
from imdbclf.reports.sweep.job_table import read_table
from imdbclf.storage import write_json

SIZES = (5, 10, 20)
SAMPLES = 2_000
SAMPLES_OF_MANY = 500
"""From each of many populations."""

RESAMPLES = 1_999
SHIFT = 0.003
"""The true difference, .3 points, that a test should find."""

Values = npt.NDArray[np.float64]
Interval = tuple[Values, Values]


def drawn_t(samples: Values, random: np.random.Generator) -> Values:
    """The t statistics of bootstrap samples of each row of (m, n), sorted, (m, RESAMPLES)."""
    n = samples.shape[1]
    weights = random.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).T / n
    centred = samples - samples.mean(axis=1, keepdims=True)
    means = centred @ weights
    variances = centred**2 @ weights - means**2
    equal = variances <= 1e-12 * centred.var(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(equal, np.copysign(np.inf, means), means * np.sqrt((n - 1) / variances))
    return np.sort(found, axis=1)


def intervals(samples: Values, random: np.random.Generator) -> dict[str, Interval]:
    """The interval of the mean of each row, by each method."""
    mean, error = samples.mean(axis=1), stats.sem(samples, axis=1)
    t = stats.t.ppf((1 + CONFIDENCE) / 2, samples.shape[1] - 1)
    options: dict[str, Any] = {"axis": -1, "vectorized": True, "batch": 100, "rng": random}
    percentile = stats.bootstrap((samples,), np.mean, n_resamples=RESAMPLES, method="percentile", **options)
    bca = stats.bootstrap((samples,), np.mean, n_resamples=0, bootstrap_result=percentile, method="BCa", **options)
    drawn = drawn_t(samples, random)
    first, last = (round(each * (RESAMPLES + 1)) - 1 for each in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    either = np.sort(np.abs(drawn), axis=1)[:, round(CONFIDENCE * (RESAMPLES + 1)) - 1]
    return {
        "Student's t": (mean - t * error, mean + t * error),
        "bootstrap, percentiles": (percentile.confidence_interval.low, percentile.confidence_interval.high),
        "bootstrap, BCa": (bca.confidence_interval.low, bca.confidence_interval.high),
        "bootstrap-t, two tails": (mean - drawn[:, last] * error, mean - drawn[:, first] * error),
        "bootstrap-t, symmetric": (mean - either * error, mean + either * error),
    }


def p_values(samples: Values, random: np.random.Generator) -> dict[str, Values]:
    """The p value of each row of differences, by each test."""
    t = stats.ttest_1samp(samples, 0, axis=1)
    signs = stats.permutation_test(
        (samples,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=100,
        axis=-1,
        rng=random,
    )
    larger = np.abs(drawn_t(samples, random)) >= np.abs(t.statistic)[:, None]
    return {
        "paired t": t.pvalue,
        "permuted signs": signs.pvalue,
        "bootstrap-t, symmetric": (larger.sum(axis=1) + 1) / (RESAMPLES + 1),
    }


def coverage(population: Values, n: int, samples: int) -> dict[str, dict[str, float]]:
    """For each method, how often the interval holds the mean, and its median width."""
    random = np.random.default_rng(n)
    drawn, mean = random.choice(population, (samples, n)), population.mean()
    return {
        name: {"held": float(((low <= mean) & (mean <= high)).mean()), "width": float(np.nanmedian(high - low))}
        for name, (low, high) in intervals(drawn, random).items()
    }


def errors(differences: Values, n: int, samples: int) -> dict[str, dict[str, float]]:
    """For each test, how often it finds a difference where there is none, and where there is one of `SHIFT`."""
    random = np.random.default_rng(n)
    drawn = random.choice(differences - differences.mean(), (samples, n))
    false, found = p_values(drawn, random), p_values(drawn + SHIFT, random)
    return {
        name: {"false": float((false[name] < SIGNIFICANCE).mean()), "found": float((found[name] < SIGNIFICANCE).mean())}
        for name in false
    }


def populations() -> tuple[dict[str, list[Values]], dict[str, list[Values]]]:
    """Measured accuracies, and differences of two networks, a value for each seed, by what they are."""
    options = read_json(MEASURED / "seeds.json")["options"]
    networks = [np.array([*one.accuracies.values()]) for one in configurations_of(read_table(LECTURE_SWEEP))]
    final, averaged, keras = (
        np.array(options[name]["test/accuracy"]) for name in ("lecture_final", "averaged", "keras")
    )
    normal = stats.norm(0.88, 0.003).ppf((np.arange(1_000) + 0.5) / 1_000)
    accuracies = {
        "final fit, test": [final],
        **({"final fit in Keras, test": [keras]} if len(keras) >= max(SIZES) else {}),
        "final fit, averaged weights, test": [averaged],
        f"{len(networks)} networks, validation": networks,
        "a normal distribution": [normal],
    }
    differences = {
        "final fit minus the one with averaged weights": [final - averaged],
        f"the best of {len(networks)} networks minus another": [networks[0] - other for other in networks[1:]],
        "a normal distribution": [normal - normal.mean()],
    }
    return accuracies, differences


Simulated = Callable[[Values, int, int], dict[str, dict[str, float]]]


def simulated(found: dict[str, list[Values]], simulate: Simulated) -> dict[str, Any]:
    """What is simulated of each population, by size and method: the mean over its parts, the smallest, the largest."""
    table: dict[str, Any] = {name: {} for name in found}
    for name, parts in found.items():
        for n in SIZES:
            say(f"{name}: {n} seeds")
            each = [simulate(part, n, SAMPLES if len(parts) == 1 else SAMPLES_OF_MANY) for part in parts]
            table[name][str(n)] = {
                method: {key: summary([one[method][key] for one in each]) for key in each[0][method]}
                for method in each[0]
            }
    return table


def summary(values: list[float]) -> list[float]:
    """Mean, smallest and largest, rounded."""
    return [round(float(each), 5) for each in (np.mean(values), min(values), max(values))]


@ending_in_one_line
def main() -> None:
    """Simulate and write."""
    warnings.simplefilter("ignore")  # samples of equal values
    accuracies, differences = populations()
    found = {"intervals": simulated(accuracies, coverage), "tests": simulated(differences, errors)}
    write_json(MEASURED / "coverage.json", found)
    say("Written: benchmarks/coverage.json")


if __name__ == "__main__":
    main()
