"""What the jobs of a sweep say: configurations over their seeds, comparisons with the best, and main effects.

Configurations are ordered and chosen by mean validation *accuracy*. The lecture chooses epochs by validation loss, but
values of different losses cannot be compared.

The seed decides the split, the initial weights and the order of the batches. All configurations have the same seeds, so
comparisons are paired: this removes the variation that the configurations have in common.

A main effect is the difference that a value on an axis makes, compared with the first value of the axis. For each seed,
it is averaged over all *matched cells*: configurations that are equal on all other axes and have a finished run with
both values. Mean, interval and test are over these numbers, one for each seed: cells of one seed share its split, so
they are not independent. With a single seed, the interval is over cells, is marked as such, and there is no test.

Intervals and tests over seeds are those of `statistics`. Each comparison and effect has the p value of its
own differences, `p`, which no other configuration changes, and `p_holm`, adjusted for their number, which decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from imdbclf.reports.labels import configuration_label
from imdbclf.reports.statistics import SIGNIFICANCE, half_width, holm_where_tested, paired_p
from imdbclf.reports.sweep.job_table import JobRow

ACCURACY = "val/accuracy"
"""The metric that orders configurations, unless a search optimised another."""

Cells = dict[tuple[str, ...], dict[str, float]]
"""Validation accuracy by the values on all other axes (seed first), then by the value on this axis."""


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
        return self.choices.get("loss") or self.choices.get("loss.name", "")

    def values(self, metric: str) -> npt.NDArray[np.float64]:
        """The values of a metric over the seeds that have it, float64 (seeds,)."""
        return np.array([row.metrics[metric] for row in self.by_seed.values() if metric in row.metrics], float)

    def mean(self, metric: str) -> float | None:
        """The mean of a metric over the seeds."""
        values = self.values(metric)
        return float(values.mean()) if len(values) else None

    def half(self, metric: str) -> float | None:
        """Half of the 95 % interval of that mean over seeds; None for one."""
        return half_width(self.values(metric))

    def spread(self, metric: str) -> tuple[float, float, float] | None:
        """Smallest, largest and standard deviation of a metric over the seeds; None for fewer than two."""
        values = self.values(metric)
        return (values.min(), values.max(), values.std(ddof=1)) if len(values) > 1 else None

    @cached_property
    def accuracies(self) -> dict[str, float]:
        """Validation accuracy by seed."""
        return {seed: row.accuracy for seed, row in self.by_seed.items() if row.accuracy is not None}


@dataclass(frozen=True)
class Differences:
    """Differences in accuracy, with the p value of a paired test, alone and adjusted for all tests of its kind (Holm).

    Both are None if no test is possible.
    """

    differences: tuple[float, ...]
    p: float | None
    p_holm: float | None = field(default=None, kw_only=True)

    @property
    def mean(self) -> float:
        """The mean difference."""
        return float(np.mean(self.differences))

    @property
    def half(self) -> float | None:
        """Half of its 95 % interval; None for fewer than two."""
        return half_width(np.array(self.differences))

    @property
    def is_significant(self) -> bool:
        """Whether it is significantly different from 0."""
        return self.p_holm is not None and self.p_holm < SIGNIFICANCE

    @property
    def is_significant_alone(self) -> bool:
        """Whether it would be if it were the only test."""
        return self.p is not None and self.p < SIGNIFICANCE


@dataclass(frozen=True)
class Comparison(Differences):
    """A configuration compared with the best: the accuracy of the best minus its own, for each common seed."""

    configuration: Configuration


@dataclass(frozen=True)
class Effect(Differences):
    """The accuracy with `value` minus that with `reference`, for each seed, or for each cell of a single seed."""

    axis: str
    reference: str
    value: str
    unit: Literal["seed", "cell"]
    cells: int


Tested = TypeVar("Tested", bound=Differences)


def _adjusted(found: Sequence[Tested]) -> list[Tested]:
    """The same with p values adjusted for their number as well."""
    adjusted = holm_where_tested([one.p for one in found])
    return [replace(one, p_holm=p) for one, p in zip(found, adjusted, strict=True)]


def configurations_of(rows: Iterable[JobRow], order: str = ACCURACY) -> list[Configuration]:
    """The configurations that have a finished run, best first; `order` is what a search optimised.

    Those with fewer seeds come last: some seeds have an easier validation part, so means over different seeds cannot
    be compared. Equal means are ordered by loss value if they have the same loss, otherwise by name.
    """
    done: dict[tuple[str, ...], dict[str, JobRow]] = defaultdict(dict)
    for row in rows:
        if row.status == "done":
            done[tuple(row.choices.values())].setdefault(row.seed, row)
    found = [Configuration(next(iter(by_seed.values())).choices, by_seed) for by_seed in done.values()]
    return sorted(found, key=partial(_rank, order))


def _rank(order: str, configuration: Configuration) -> tuple[int, float, str, float, str]:
    accuracy = configuration.mean("val/accuracy")
    mean_loss = configuration.mean("val/loss")
    # The loss of a diverged run is not a number.
    loss = mean_loss if mean_loss is not None and np.isfinite(mean_loss) else np.inf
    # Means of the same values in a different order differ in the last digit.
    first = 0.0 if accuracy is None else -round(accuracy, 12)
    key = first if order == ACCURACY else loss
    return -len(configuration.accuracies), key, configuration.loss, loss, configuration.label


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
    return _adjusted([_compared(best, other) for other in others])


def _compared(best: Configuration, other: Configuration) -> Comparison:
    common = [seed for seed in best.accuracies if seed in other.accuracies]
    first, second = (np.array([one.accuracies[seed] for seed in common]) for one in (best, other))
    return Comparison(tuple((first - second).tolist()), paired_p(first, second), other)


def main_effects(rows: Sequence[JobRow], axes: Sequence[str]) -> list[Effect]:
    """The effects of all axes that have matched cells, with adjusted p values."""
    found: list[Effect] = []
    for axis in axes:
        cells = _cells(rows, axis)
        values = list(dict.fromkeys(row.choices[axis] for row in rows))
        found.extend(effect for value in values[1:] if (effect := _effect(cells, axis, values[0], value)))
    return _adjusted(found)


def _cells(rows: Sequence[JobRow], axis: str) -> Cells:
    cells: Cells = defaultdict(dict)
    for row in rows:
        if row.accuracy is not None:
            others = tuple(value for name, value in row.choices.items() if name != axis)
            cells[row.seed, *others].setdefault(row.choices[axis], row.accuracy)
    return cells


def _effect(cells: Cells, axis: str, reference: str, value: str) -> Effect | None:
    """The effect without an adjusted p value; None without a matched cell."""
    matched = {key: cell for key, cell in cells.items() if reference in cell and value in cell}
    if not matched:
        return None
    seeds = list(dict.fromkeys(seed for seed, *_ in matched))
    if len(seeds) == 1:
        differences = tuple(cell[value] - cell[reference] for cell in matched.values())
        return Effect(differences, None, axis, reference, value, "cell", len(matched))
    first, second = (
        np.array([np.mean([cell[chosen] for key, cell in matched.items() if key[0] == seed]) for seed in seeds])
        for chosen in (value, reference)
    )
    different = len({tuple(others) for _, *others in matched})
    differences, p = tuple((first - second).tolist()), paired_p(first, second)
    return Effect(differences, p, axis, reference, value, "seed", different)
