"""The space of a search: Hydra's sweep syntax as Optuna's distributions, and their values as overrides again.

| typed | searched |
| --- | --- |
| `16,32,64`, `choice(16,32,64)`, `glob(*)` | these values, without an order |
| `range(1,4)`, `range(0,64,16)`, `range(0,1,0.25)` | the numbers that Hydra's range has, in their order |
| `interval(0.1,0.9)` | real numbers, both ends included |
| `int(interval(1,100))` | whole numbers, both ends included |
| `tag(log,interval(1e-4,1e-2))`, `tag(log,int(interval(8,128)))` | the same, on a logarithmic scale |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from imdbclf.errors import UserError, nearest
from imdbclf.sweeps.plan import key_of

Value = str | int | float
"""What a distribution gives: a choice as it is typed, or a number."""

LOG = "log"
"""The tag that asks for a logarithmic scale."""


@dataclass(frozen=True)
class Axis:
    """One axis: its key, the key as typed (with Hydra's signs), and where its values come from."""

    key: str
    typed_key: str
    distribution: BaseDistribution

    def override(self, value: Value) -> str:
        """The override that chooses a value."""
        return f"{self.typed_key}={value if isinstance(value, str) else repr(value)}"

    @property
    def values_to_check(self) -> list[Value]:
        """Every choice, or the ends of a range: what lies between two right numbers is right."""
        if isinstance(self.distribution, CategoricalDistribution):
            return [str(choice) for choice in self.distribution.choices]
        assert isinstance(self.distribution, FloatDistribution | IntDistribution)  # noqa: S101 - there is no fourth
        return list(dict.fromkeys([self.distribution.low, self.distribution.high]))

    def values(self) -> list[Value]:
        """All values, of an axis that has an end of them."""
        one = self.distribution
        if isinstance(one, CategoricalDistribution):
            return self.values_to_check
        assert isinstance(one, FloatDistribution | IntDistribution)  # noqa: S101 - there is no fourth
        assert self.size is not None  # noqa: S101 - the caller has asked
        step, low = Decimal(str(one.step or 0)), Decimal(str(one.low))
        kind = type(one.low)
        return [kind(low + number * step) for number in range(self.size)]

    @property
    def size(self) -> int | None:
        """How many values there are; None for real numbers, of which there is no end."""
        one = self.distribution
        if isinstance(one, CategoricalDistribution):
            return len(one.choices)
        assert isinstance(one, FloatDistribution | IntDistribution)  # noqa: S101 - there is no fourth
        if one.step is None:
            return 1 if one.single() else None
        return int((Decimal(str(one.high)) - Decimal(str(one.low))) // Decimal(str(one.step))) + 1


@dataclass(frozen=True)
class Space:
    """The axes of a search, among overrides that all its jobs share."""

    parts: Sequence[Axis | str]

    @property
    def axes(self) -> dict[str, Axis]:
        """The axes by their keys, in the order given."""
        return {part.key: part for part in self.parts if isinstance(part, Axis)}

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """What Optuna takes values from."""
        return {key: axis.distribution for key, axis in self.axes.items()}

    @property
    def size(self) -> int | None:
        """How many combinations there are; None if there is no end of them."""
        total = 1
        for axis in self.axes.values():
            if axis.size is None:
                return None
            total *= axis.size
        return total

    @property
    def description(self) -> list[str]:
        """The whole space in plain text, the same for the same space: two searches of equal ones are one search."""
        searched = (f"{key}: {distribution_to_json(one)}" for key, one in self.distributions.items())
        return sorted([*searched, *(part for part in self.parts if isinstance(part, str))])

    def overrides(self, chosen: Mapping[str, Value]) -> list[str]:
        """The overrides of the job that has these values on the axes."""
        return [part if isinstance(part, str) else part.override(chosen[part.key]) for part in self.parts]

    def to_check(self) -> list[dict[str, Value]]:
        """Combinations that have every value worth a check once, beside the first values of the other axes."""
        first = {key: axis.values_to_check[0] for key, axis in self.axes.items()}
        others = [first | {key: value} for key, axis in self.axes.items() for value in axis.values_to_check[1:]]
        return [first, *others]


def space_of(overrides: Sequence[Override]) -> Space:
    """The space that overrides describe.

    Raises:
        UserError: if there is no axis, or one has no values.
    """
    parts: list[Axis | str] = []
    for one in overrides:
        if one.is_sweep_override():
            parts.append(Axis(key_of(one), one.get_key_element(), _distribution(one)))
        else:
            parts.append(str(one.input_line))
    if not any(isinstance(part, Axis) for part in parts):
        msg = "hydra/sweeper=search: has nothing to search in; give axes: 'optimizer.lr=tag(log,interval(1e-4,1e-2))'"
        raise UserError(msg)
    return Space(parts)


def _distribution(override: Override) -> BaseDistribution:
    typed, value = str(override.input_line), override.value()
    is_logarithmic = _is_logarithmic(typed, value)
    if isinstance(value, IntervalSweep):
        return _interval(typed, value, is_logarithmic)
    if isinstance(value, RangeSweep):
        return _range(typed, value, is_logarithmic)
    if is_logarithmic:
        msg = f"{typed}: only numbers have a logarithmic scale: tag(log,interval(1e-4,1e-2))"
        raise UserError(msg)
    # As text in Hydra's syntax: what Optuna keeps of a choice is then what a job is asked for by.
    choices = list(dict.fromkeys(str(choice) for choice in override.sweep_string_iterator()))
    if not choices:
        msg = f"{typed}: has no values"
        raise UserError(msg)
    return CategoricalDistribution(choices)


def _is_logarithmic(typed: str, value: Any) -> bool:
    tags: set[str] = set(getattr(value, "tags", ()))
    for tag in sorted(tags - {LOG}):
        msg = f"{typed}: tag({tag}, …): the tag that a search knows is {LOG}{nearest(tag, [LOG])}"
        raise UserError(msg)
    return LOG in tags


def _interval(typed: str, interval: IntervalSweep, is_logarithmic: bool) -> BaseDistribution:
    low, high = interval.start, interval.end
    assert low is not None  # noqa: S101 - Hydra wants both
    assert high is not None  # noqa: S101
    if not low < high:
        msg = f"{typed}: must go from a lower to a higher value"
        raise UserError(msg)
    _check_logarithmic(typed, low, is_logarithmic)
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=is_logarithmic)
    return FloatDistribution(float(low), float(high), log=is_logarithmic)


def _range(typed: str, given: RangeSweep, is_logarithmic: bool) -> BaseDistribution:
    if given.step == 0 or not (values := sorted(given.range())):
        msg = f"{typed}: has no values"
        raise UserError(msg)
    low, high, step = values[0], values[-1], abs(given.step)
    _check_logarithmic(typed, low, is_logarithmic)
    if is_logarithmic and step != 1:
        msg = f"{typed}: a logarithmic range has step 1"
        raise UserError(msg)
    if all(isinstance(value, int) for value in values) and isinstance(step, int):
        return IntDistribution(low, high, log=is_logarithmic, step=step)
    # Hydra adds the step up; Optuna wants the last value where it is in decimals.
    last = Decimal(str(low)) + (len(values) - 1) * Decimal(str(step))
    if is_logarithmic:
        return FloatDistribution(float(low), float(last), log=True)
    return FloatDistribution(float(low), float(last), step=float(step))


def _check_logarithmic(typed: str, low: float, is_logarithmic: bool) -> None:
    if is_logarithmic and low <= 0:
        msg = f"{typed}: a logarithmic scale has no {low:g}; begin above 0"
        raise UserError(msg)
