"""Configurations, each with its seeds: how good each is on validation, and which can't be told from the best.

Configurations are ordered and chosen by mean validation *accuracy*. The lecture chooses epochs by validation loss, but
losses of different names can't be compared: binary cross-entropy and mean squared error of the same predictions differ.

The seed decides the split, the initial weights and the order of the batches. All configurations share the seeds, so
they are compared seed by seed (paired), which takes what the seeds have in common out of the comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from imdbclf.reports.labels import configuration_label
from imdbclf.reports.statistics import SIGNIFICANCE, half_width, holm_where_tested, paired_p
from imdbclf.reports.sweep.job_table import JobRow

ACCURACY = "val/accuracy"
"""What configurations are ordered by, unless a search looked for something else."""

_LOSS_AXES = ("loss", "loss.name")


@dataclass(frozen=True)
class Configuration:
    """The choices without the seed, and the row of each seed whose run is done."""

    choices: Mapping[str, str]
    by_seed: Mapping[str, JobRow]

    @property
    def label(self) -> str:
        """The choices in one line."""
        return configuration_label(self.choices)

    @property
    def loss(self) -> str:
        """The name of its loss where that is an axis; else all have the same, and it is empty."""
        return next((self.choices[axis] for axis in _LOSS_AXES if axis in self.choices), "")

    def values(self, metric: str) -> npt.NDArray[np.float64]:
        """A metric of every seed that has it."""
        return np.array([row.metrics[metric] for row in self.by_seed.values() if metric in row.metrics], float)

    def mean(self, metric: str) -> float | None:
        """A metric's mean over the seeds."""
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
    """A configuration against the best: the best's accuracy minus its own, over the seeds that both have.

    `p` is Holm's, adjusted over all comparisons with the best; None where no test is possible.
    """

    configuration: Configuration
    shared: int
    difference: float | None
    half: float | None
    p: float | None

    @property
    def is_significant(self) -> bool:
        """Whether the seeds show that the best is better."""
        return self.p is not None and self.p < SIGNIFICANCE


def configurations_of(rows: Iterable[JobRow], sought: str = ACCURACY) -> list[Configuration]:
    """The configurations that have a finished run, best first.

    Those with fewer seeds than others stand behind: seeds differ in how easy their validation part is, so that a
    mean over other seeds is another quantity. Equal means are ordered by loss if they are of one loss, else by name.
    A search that `sought` a small loss has its configurations ordered by it.
    """
    found: dict[tuple[str, ...], Configuration] = {}
    done: dict[tuple[str, ...], dict[str, JobRow]] = {}
    for row in rows:
        if row.status == "done":
            key = tuple(row.choices.values())
            done.setdefault(key, {}).setdefault(row.seed, row)
            found[key] = Configuration(row.choices, done[key])
    return sorted(found.values(), key=partial(_rank, sought))


def _rank(sought: str, configuration: Configuration) -> tuple[int, float, str, float, str]:
    accuracy = configuration.mean("val/accuracy")
    mean_loss = configuration.mean("val/loss")
    # A fit that diverged has a loss that is no number.
    loss = mean_loss if mean_loss is not None and np.isfinite(mean_loss) else np.inf
    # Means of the same values in another order differ in the last digit.
    first = 0.0 if accuracy is None else -round(accuracy, 12)
    return (
        -len(configuration.accuracies),
        first if sought == ACCURACY else loss,
        configuration.loss,
        loss,
        configuration.label,
    )


def selected(configurations: Sequence[Configuration]) -> Configuration | None:
    """The best on validation; without a validation part the only one, if there is only one."""
    if not configurations:
        return None
    return configurations[0] if configurations[0].accuracies or len(configurations) == 1 else None


def compare_with_best(configurations: Sequence[Configuration]) -> list[Comparison]:
    """Every other configuration with the first, paired over the seeds that both have."""
    if not configurations or not configurations[0].accuracies:
        return []
    best, *others = configurations
    raw = [_compared(best, other) for other in others]
    adjusted = holm_where_tested([comparison.p for comparison in raw])
    return [
        Comparison(found.configuration, found.shared, found.difference, found.half, p)
        for found, p in zip(raw, adjusted, strict=True)
    ]


def _compared(best: Configuration, other: Configuration) -> Comparison:
    shared = [seed for seed in best.accuracies if seed in other.accuracies]
    if not shared:
        return Comparison(other, 0, None, None, None)
    first = np.array([best.accuracies[seed] for seed in shared])
    second = np.array([other.accuracies[seed] for seed in shared])
    differences = first - second
    return Comparison(other, len(shared), float(differences.mean()), half_width(differences), paired_p(first, second))
