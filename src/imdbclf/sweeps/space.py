"""The space of a search: Hydra's sweep syntax as Optuna's distributions, and chosen values as overrides.

`docs/search.md` has a table of the syntax.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution, distribution_to_json

from imdbclf.errors import UserError, nearest
from imdbclf.sweeps.plan import key_of

Distribution = CategoricalDistribution | FloatDistribution | IntDistribution

Value = str | int | float
"""What a distribution gives: a choice as it is typed, or a number."""

LOG = "log"
"""The tag for a logarithmic scale."""


@dataclass(frozen=True)
class Space:
    """The overrides as typed, and the distribution of each key that has several values."""

    typed: Sequence[Override]
    distributions: Mapping[str, Distribution]

    @property
    def size(self) -> float:
        """The number of combinations; infinite if an axis has real numbers."""
        return math.prod(map(_size, self.distributions.values()))

    @property
    def description(self) -> list[str]:
        """The space as text. Equal spaces have equal texts, whatever the order of their axes."""
        searched = [f"{key}: {distribution_to_json(one)}" for key, one in self.distributions.items()]
        return sorted([*searched, *(str(one.input_line) for one in self.typed if not one.is_sweep_override())])

    def overrides(self, chosen: Mapping[str, Value]) -> list[str]:
        """The overrides of the job with these values on the axes."""
        values = {key: value if isinstance(value, str) else repr(value) for key, value in chosen.items()}
        return [
            f"{one.get_key_element()}={values[key_of(one)]}" if one.is_sweep_override() else str(one.input_line)
            for one in self.typed
        ]

    def to_check(self) -> list[dict[str, Value]]:
        """Combinations that contain each value to check once, beside the first values of the other axes."""
        values = {key: _values_to_check(one) for key, one in self.distributions.items()}
        first = {key: some[0] for key, some in values.items()}
        return [first, *(first | {key: value} for key, some in values.items() for value in some[1:])]


def space_of(overrides: Sequence[Override]) -> Space:
    """The space that overrides describe.

    Raises:
        UserError: if there is no axis, or an axis without values.
    """
    distributions = {key_of(one): _distribution(one) for one in overrides if one.is_sweep_override()}
    if not distributions:
        msg = "hydra/sweeper=search: there is no axis to search; give axes: 'optimizer.lr=tag(log,interval(1e-4,1e-2))'"
        raise UserError(msg)
    return Space(overrides, distributions)


def _size(one: Distribution) -> float:
    if isinstance(one, CategoricalDistribution):
        return len(one.choices)
    return math.inf if one.step is None else round((one.high - one.low) / one.step) + 1


def _values_to_check(one: Distribution) -> list[Value]:
    """Every choice, or both ends of a range: a value between two valid numbers is valid."""
    if isinstance(one, CategoricalDistribution):
        return [str(choice) for choice in one.choices]
    return list(dict.fromkeys([one.low, one.high]))


def _distribution(override: Override) -> Distribution:
    value = override.value()
    try:
        tags = set(getattr(value, "tags", ()))
        for tag in sorted(tags - {LOG}):
            msg = f"tag({tag}, …): a search knows the tag {LOG}{nearest(tag, [LOG])}"
            raise ValueError(msg)
        if isinstance(value, IntervalSweep | RangeSweep):
            return _numbers(value, log=LOG in tags)
        if tags:
            msg = "only numbers have a logarithmic scale: tag(log,interval(1e-4,1e-2))"
            raise ValueError(msg)
        # Choices stay text in Hydra's syntax: a chosen one becomes an override as it is.
        return CategoricalDistribution(list(dict.fromkeys(override.sweep_string_iterator())))
    except ValueError as error:
        msg = f"{override.input_line}: {error}"
        raise UserError(msg) from error


def _numbers(given: IntervalSweep | RangeSweep, *, log: bool) -> Distribution:
    low, high, step = _bounds(given)
    if log and low <= 0:
        msg = f"a logarithmic scale has no {low:g}; begin above 0"
        raise ValueError(msg)
    if log and step not in {None, 1}:
        msg = "a logarithmic range has step 1"
        raise ValueError(msg)
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log, step=int(step or 1))
    return FloatDistribution(float(low), float(high), log=log, step=None if log or step is None else float(step))


def _bounds(given: IntervalSweep | RangeSweep) -> tuple[float, float, float | None]:
    """The lowest value, the highest one, and their step; None for an interval."""
    if isinstance(given, IntervalSweep):
        assert given.start is not None  # noqa: S101 - Hydra requires both
        assert given.end is not None  # noqa: S101
        if not given.start < given.end:
            msg = "must go from a lower to a higher value"
            raise ValueError(msg)
        return given.start, given.end, None
    values = sorted(given.range()) if given.step else []
    if not values:
        msg = "has no values"
        raise ValueError(msg)
    if all(isinstance(value, int) for value in values):
        return values[0], values[-1], abs(given.step)
    # Hydra adds up the steps, with rounding errors; Optuna wants the last value as a decimal number.
    last = Decimal(str(values[0])) + (len(values) - 1) * Decimal(str(abs(given.step)))
    return float(values[0]), float(last), abs(given.step)
