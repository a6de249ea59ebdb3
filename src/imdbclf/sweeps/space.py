"""The space of a search: Hydra's sweep syntax as Optuna's distributions, and chosen values as overrides.

`docs/hyperparameter-search.md` has a table of the syntax.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution, distribution_to_json

from imdbclf.errors import UserError
from imdbclf.sweeps.plan import key_of

Distribution = CategoricalDistribution | FloatDistribution | IntDistribution


class Space:
    """The overrides as typed, and the distribution of each key that has several values.

    Raises:
        UserError: if there is no axis, or one that cannot be searched.
    """

    def __init__(self, overrides: Sequence[Override]) -> None:
        self.typed = overrides
        self.distributions = {key_of(one): _distribution(one) for one in overrides if one.is_sweep_override()}
        if not self.distributions:
            example = "'optimizer.lr=tag(log,interval(1e-4,1e-2))'"
            raise UserError(f"hydra/sweeper=search: there is no axis to search; give axes: {example}")

    @property
    def size(self) -> float:
        """The number of combinations; infinite if an axis has real numbers."""
        return math.prod(map(_size, self.distributions.values()))

    @property
    def description(self) -> list[str]:
        """The space as text. Equal spaces have equal texts, whatever the order of their axes."""
        searched = [f"{key}: {distribution_to_json(one)}" for key, one in self.distributions.items()]
        return sorted([*searched, *(str(one.input_line) for one in self.typed if not one.is_sweep_override())])

    def overrides(self, chosen: Mapping[str, Any]) -> list[str]:
        """The overrides of the job with these values on the axes."""
        return [
            f"{one.get_key_element()}={chosen[key_of(one)]}" if one.is_sweep_override() else str(one.input_line)
            for one in self.typed
        ]

    def to_check(self) -> list[dict[str, Any]]:
        """Combinations with each choice and both ends of each range, beside the first values of the other axes."""
        values = {
            key: one.choices if isinstance(one, CategoricalDistribution) else (one.low, one.high)
            for key, one in self.distributions.items()
        }
        first = {key: some[0] for key, some in values.items()}
        return [first, *(first | {key: value} for key, some in values.items() for value in some[1:])]


def _size(one: Distribution) -> float:
    if isinstance(one, CategoricalDistribution):
        return len(one.choices)
    return math.inf if one.step is None else round((one.high - one.low) / one.step) + 1


def _distribution(override: Override) -> Distribution:
    value: Any = override.value()
    tags: set[str] = getattr(value, "tags", set())
    try:
        if tags - {"log"}:
            raise ValueError("a search knows only the tag log")
        if isinstance(value, IntervalSweep | RangeSweep):
            return _numbers(value, log="log" in tags)
        if tags:
            raise ValueError("only numbers have a logarithmic scale: tag(log,interval(1e-4,1e-2))")
        # Choices stay text in Hydra's syntax: a chosen one becomes an override as it is.
        return CategoricalDistribution(list(dict.fromkeys(override.sweep_string_iterator())))
    except ValueError as error:
        raise UserError(f"{override.input_line}: {error}") from error


def _numbers(given: IntervalSweep | RangeSweep, *, log: bool) -> Distribution:
    """The distribution of a range or an interval; Optuna refuses limits and steps that make no sense."""
    if isinstance(given, IntervalSweep):
        low, high, step = given.start, given.end, None
    else:
        values = sorted(given.range()) if given.step else []
        if not values:
            raise ValueError("has no values")
        low, step = values[0], abs(given.step)
        # Hydra adds up the steps, with rounding errors; Optuna wants the last value as a decimal number.
        high = type(low)(Decimal(str(low)) + (len(values) - 1) * Decimal(str(step)))
    assert low is not None  # noqa: S101 - Hydra requires both
    assert high is not None  # noqa: S101
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log, step=int(step or 1))
    return FloatDistribution(low, high, log=log, step=step)
