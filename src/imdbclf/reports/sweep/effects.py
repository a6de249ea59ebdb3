"""Main effects: how a value on an axis changes validation accuracy, averaged over the other axes.

The values on the axes are fixed and the seeds are random: they stand for all possible splits and initial weights. For
each seed, the difference between two values is averaged over all *matched cells*: configurations that are equal on all
other axes and have a finished run with both values. This gives one number for each seed; mean, interval and test are
over these numbers. Cells of one seed share its split, so they are not independent observations. With a single seed,
the interval is over cells, is marked as such, and there is no test.

Every value is compared with the first of its axis, in the order in which the values were given. p values are adjusted
for the number of effects (Holm).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from imdbclf.reports.statistics import SIGNIFICANCE, half_width, holm_where_tested, paired_p
from imdbclf.reports.sweep.job_table import JobRow

Cells = dict[tuple[str, ...], dict[str, float]]
"""Validation accuracy by the values on all other axes (seed first), then by the value on this axis."""


@dataclass(frozen=True)
class Effect:
    """The accuracy with `value` minus that with `reference`, for each seed, or for each cell of a single seed."""

    axis: str
    reference: str
    value: str
    unit: Literal["seed", "cell"]
    differences: tuple[float, ...]
    cells: int
    p: float | None = None

    @property
    def mean(self) -> float:
        """The mean difference."""
        return float(np.mean(self.differences))

    @property
    def half(self) -> float | None:
        """Half of its 95 % interval (Student's t over seeds or cells)."""
        return half_width(np.array(self.differences))

    @property
    def is_significant(self) -> bool:
        """Whether the difference is significant."""
        return self.p is not None and self.p < SIGNIFICANCE


def values_of(rows: Sequence[JobRow], axis: str) -> list[str]:
    """The values on the axis, in the order given."""
    return list(dict.fromkeys(row.choices[axis] for row in rows))


def main_effects(rows: Sequence[JobRow], axes: Sequence[str]) -> list[Effect]:
    """The effects of all axes that have matched cells, with adjusted p values."""
    found: list[Effect] = []
    for axis in axes:
        cells = _cells(rows, axis)
        values = values_of(rows, axis)
        found.extend(effect for value in values[1:] if (effect := _effect(cells, axis, values[0], value)))
    adjusted = holm_where_tested([effect.p for effect in found])
    return [replace(effect, p=p) for effect, p in zip(found, adjusted, strict=True)]


def _cells(rows: Sequence[JobRow], axis: str) -> Cells:
    cells: Cells = defaultdict(dict)
    for row in rows:
        if row.accuracy is not None:
            others = tuple(value for name, value in row.choices.items() if name != axis)
            cells[row.seed, *others].setdefault(row.choices[axis], row.accuracy)
    return cells


def _effect(cells: Cells, axis: str, reference: str, value: str) -> Effect | None:
    """The effect with its unadjusted p value; None without a matched cell."""
    matched = {key: cell for key, cell in cells.items() if reference in cell and value in cell}
    if not matched:
        return None
    seeds = list(dict.fromkeys(seed for seed, *_ in matched))
    if len(seeds) == 1:
        differences = tuple(cell[value] - cell[reference] for cell in matched.values())
        return Effect(axis, reference, value, "cell", differences, len(matched))
    first, second = (_means(matched, seeds, chosen) for chosen in (value, reference))
    different = len({tuple(others) for _, *others in matched})
    return Effect(axis, reference, value, "seed", tuple((first - second).tolist()), different, paired_p(first, second))


def _means(matched: Cells, seeds: Sequence[str], value: str) -> npt.NDArray[np.float64]:
    """The mean accuracy over the matched cells of each seed, float64 (seeds,)."""
    return np.array([np.mean([cell[value] for key, cell in matched.items() if key[0] == seed]) for seed in seeds])
