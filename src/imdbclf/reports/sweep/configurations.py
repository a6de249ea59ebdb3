"""Configurations over their seeds: validation metrics, the order, and comparisons with the best.

Configurations are ordered and chosen by mean validation *accuracy*. The lecture chooses epochs by validation loss, but
values of different losses cannot be compared: binary cross-entropy and mean squared error of the same predictions
differ.

The seed decides the split, the initial weights and the order of the batches. All configurations have the same seeds, so
the comparison is paired: it removes the variation that the configurations have in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from imdbclf.reports.labels import configuration_label
from imdbclf.reports.statistics import SIGNIFICANCE, half_width, holm_where_tested, paired_p
from imdbclf.reports.sweep.job_table import JobRow

ACCURACY = "val/accuracy"
"""The metric that orders configurations, unless a search optimised another."""

_LOSS_AXES = ("loss", "loss.name")


@dataclass(frozen=True)
class Configuration:
    """The values on all axes but the seed, and the row of each seed whose run is done."""

    choices: Mapping[str, str]
    by_seed: Mapping[str, JobRow]

    @property
    def label(self) -> str:
        """The values in one line."""
        return configuration_label(self.choices)

    @property
    def loss(self) -> str:
        """The name of its loss if that is an axis; otherwise all have the same loss, and it is empty."""
        return next((self.choices[axis] for axis in _LOSS_AXES if axis in self.choices), "")

    def values(self, metric: str) -> npt.NDArray[np.float64]:
        """The values of a metric over the seeds that have it, float64 (seeds,)."""
        return np.array([row.metrics[metric] for row in self.by_seed.values() if metric in row.metrics], float)

    def mean(self, metric: str) -> float | None:
        """The mean of a metric over the seeds."""
        values = self.values(metric)
        return float(values.mean()) if len(values) else None

    def half(self, metric: str) -> float | None:
        """Half of the 95 % interval of that mean (Student's t over seeds); None for one seed."""
        return half_width(self.values(metric))

    @cached_property
    def accuracies(self) -> dict[str, float]:
        """Validation accuracy by seed."""
        found = ((seed, row.accuracy) for seed, row in self.by_seed.items())
        return {seed: accuracy for seed, accuracy in found if accuracy is not None}


@dataclass(frozen=True)
class Comparison:
    """A configuration compared with the best: the accuracy of the best minus its own, over their common seeds.

    `p` is adjusted for all comparisons with the best (Holm); None if no test is possible.
    """

    configuration: Configuration
    seeds: int
    difference: float | None
    half: float | None
    p: float | None

    @property
    def is_significant(self) -> bool:
        """Whether the configuration is significantly worse than the best."""
        return self.p is not None and self.p < SIGNIFICANCE


def configurations_of(rows: Iterable[JobRow], order: str = ACCURACY) -> list[Configuration]:
    """The configurations that have a finished run, best first.

    Those with fewer seeds come last: some seeds have an easier validation part, so means over different seeds cannot
    be compared. Equal means are ordered by loss value if they have the same loss, otherwise by name.

    Args:
        rows: the jobs.
        order: `val/accuracy`, or `val/loss` for a search that optimised it.
    """
    found: dict[tuple[str, ...], Configuration] = {}
    done: dict[tuple[str, ...], dict[str, JobRow]] = {}
    for row in rows:
        if row.status == "done":
            key = tuple(row.choices.values())
            done.setdefault(key, {}).setdefault(row.seed, row)
            found[key] = Configuration(row.choices, done[key])
    return sorted(found.values(), key=partial(_rank, order))


def _rank(order: str, configuration: Configuration) -> tuple[int, float, str, float, str]:
    accuracy = configuration.mean("val/accuracy")
    mean_loss = configuration.mean("val/loss")
    # The loss of a diverged run is not a number.
    loss = mean_loss if mean_loss is not None and np.isfinite(mean_loss) else np.inf
    # Means of the same values in a different order differ in the last digit.
    first = 0.0 if accuracy is None else -round(accuracy, 12)
    return (
        -len(configuration.accuracies),
        first if order == ACCURACY else loss,
        configuration.loss,
        loss,
        configuration.label,
    )


def selected(configurations: Sequence[Configuration]) -> Configuration | None:
    """The best on validation; without a validation part, the only one, if there is only one."""
    if not configurations:
        return None
    return configurations[0] if configurations[0].accuracies or len(configurations) == 1 else None


def compare_with_best(configurations: Sequence[Configuration]) -> list[Comparison]:
    """Compare every other configuration with the first, paired over their common seeds."""
    if not configurations or not configurations[0].accuracies:
        return []
    best, *others = configurations
    raw = [_compared(best, other) for other in others]
    adjusted = holm_where_tested([comparison.p for comparison in raw])
    return [replace(comparison, p=p) for comparison, p in zip(raw, adjusted, strict=True)]


def _compared(best: Configuration, other: Configuration) -> Comparison:
    common = [seed for seed in best.accuracies if seed in other.accuracies]
    if not common:
        return Comparison(other, 0, None, None, None)
    first = np.array([best.accuracies[seed] for seed in common])
    second = np.array([other.accuracies[seed] for seed in common])
    differences = first - second
    return Comparison(other, len(common), float(differences.mean()), half_width(differences), paired_p(first, second))
