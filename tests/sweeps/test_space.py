"""The space of a search: Hydra's sweep syntax becomes Optuna's distributions, and chosen values become overrides."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from imdbclf.errors import UserError
from imdbclf.sweeps.space import Distribution, Space

WHOLE = st.integers(-1_000, 1_000)
REAL = st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)


def space(*typed: str) -> Space:
    return Space(OverridesParser.create().parse_overrides(list(typed)))


def distribution_of(typed: str) -> Distribution:
    (one,) = space(typed).distributions.values()
    return one


def overrides_of(typed: str) -> list[str]:
    """The overrides of every value of the one axis."""
    one, axis = space(typed), distribution_of(typed)
    values: list[Any] = (
        list(axis.choices)
        if isinstance(axis, CategoricalDistribution)
        else [axis.low + number * (axis.step or 0) for number in range(int(one.size))]
    )
    return [override for value in values for override in one.overrides(dict.fromkeys(one.distributions, value))]


def value_of(override: str) -> object:
    """The value that Hydra reads from an override without several values."""
    parsed = OverridesParser.create().parse_override(override)
    assert not parsed.is_sweep_override()
    return parsed.value()


@pytest.mark.parametrize(
    ("typed", "distribution"),
    [
        ("model.hidden=16,32", CategoricalDistribution(("16", "32"))),
        ("model.hidden=choice(16,32)", CategoricalDistribution(("16", "32"))),
        ("model.hidden=[32,16],[8]", CategoricalDistribution(("[32,16]", "[8]"))),
        ("model.layers=range(1,4)", IntDistribution(1, 3)),
        ("model.layers=range(3)", IntDistribution(0, 2)),
        ("model.hidden=range(8,65,8)", IntDistribution(8, 64, step=8)),
        ("model.hidden=range(64,7,-8)", IntDistribution(8, 64, step=8)),
        ("model.hidden=tag(log,range(1,65))", IntDistribution(1, 64, log=True)),
        ("model.dropout=range(0,0.5,0.1)", FloatDistribution(0, 0.4, step=0.1)),
        ("model.dropout=interval(0,0.5)", FloatDistribution(0, 0.5)),
        ("optimizer.lr=tag(log,interval(1e-4,1e-2))", FloatDistribution(1e-4, 1e-2, log=True)),
        ("model.hidden=int(interval(8,128))", IntDistribution(8, 128)),
        ("model.hidden=tag(log,int(interval(8,128)))", IntDistribution(8, 128, log=True)),
        ("model.hidden=int(tag(log,interval(8,128)))", IntDistribution(8, 128, log=True)),
    ],
)
def test_each_form_of_hydras_syntax_has_its_distribution(typed: str, distribution: Distribution) -> None:
    assert distribution_of(typed) == distribution


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("lr=interval(2,1)", "low <= high"),
        ("lr=tag(log,interval(0,1))", "low > 0"),
        ("n=tag(log,int(interval(0,9)))", "low >= 1"),
        ("n=tag(log,range(1,9,2))", "step is 1"),
        ("n=range(4,4)", "no values"),
        ("n=range(1,4,0)", "no values"),
        ("n=tag(lgo,interval(1,2))", "only the tag log"),
        ("n=tag(log,choice(1,2))", "only numbers"),
        ("n=3", "no axis to search"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_one_line_that_names_it(typed: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        space(typed)
    assert "\n" not in str(refused.value)
    assert typed in str(refused.value) or "no axis" in said


def test_overrides_stand_in_the_order_given_with_the_values_chosen() -> None:
    one = space("seed=3", "model.layers=range(1,4)", "loss=mse", "+model.dropout=0.1,0.2")
    assert one.overrides({"model.layers": 2, "model.dropout": "0.2"}) == [
        "seed=3",
        "model.layers=2",
        "loss=mse",
        "+model.dropout=0.2",
    ]


@given(low=REAL, high=REAL, fraction=st.floats(0, 1))
def test_a_real_number_comes_back_from_hydra_as_optuna_chose_it(low: float, high: float, fraction: float) -> None:
    low, high = sorted((low, high))
    if low == high:
        return
    one = space(f"lr=interval({low!r},{high!r})")
    assert one.distributions == {"lr": FloatDistribution(low, high)}
    value = min(max(low + fraction * (high - low), low), high)
    assert [value_of(override) for override in one.overrides({"lr": value})] == [value]


@given(low=WHOLE, count=st.integers(1, 50), step=st.integers(1, 20))
def test_a_range_has_the_values_that_hydra_gives_it(low: int, count: int, step: int) -> None:
    typed = f"n=range({low},{low + count * step},{step})"
    expected = OverridesParser.create().parse_override(typed)
    assert overrides_of(typed) == [f"n={text}" for text in expected.sweep_string_iterator()]
    assert space(typed).size == count


@given(low=st.integers(-50, 50), count=st.integers(1, 40), step=st.sampled_from([0.1, 0.25, 0.05, 0.3]))
def test_a_range_of_fractions_has_the_values_that_hydra_gives_it(low: int, count: int, step: float) -> None:
    typed = f"x=range({low},{low + (count - 0.5) * step!r},{step})"
    expected = OverridesParser.create().parse_override(typed)
    assert [float(override.removeprefix("x=")) for override in overrides_of(typed)] == pytest.approx(
        [float(text) for text in expected.sweep_string_iterator()], abs=1e-9
    )


@given(st.lists(st.sampled_from(["relu", "tanh", "16", "'a b'", '"x,y"', "[1,2]", "true", "0.5"]), min_size=2))
def test_a_choice_comes_back_from_hydra_as_it_was_typed(choices: list[str]) -> None:
    overrides = overrides_of(f"key={','.join(choices)}")
    for override, typed in zip(overrides, dict.fromkeys(choices), strict=True):
        assert value_of(override) == value_of(f"key={typed}")


def test_the_size_of_a_space_is_the_number_of_its_combinations() -> None:
    assert space("a=1,2,3", "b=range(0,10,2)", "c=7").size == 15
    assert space("a=1,2", "b=interval(0,1)").size == math.inf


def test_every_choice_and_both_ends_are_checked_beforehand() -> None:
    checked = space("a=x,y,z", "b=int(interval(1,9))").to_check()
    assert checked == [{"a": "x", "b": 1}, {"a": "y", "b": 1}, {"a": "z", "b": 1}, {"a": "x", "b": 9}]


def test_equal_spaces_have_one_description_whatever_their_order() -> None:
    first, second = ("a=1,2", "b=interval(0,1)", "seed=1"), ("seed=1", "b=interval(0,1)", "a=1,2")
    assert space(*first).description == space(*second).description
    assert space("a=1,2").description != space("a=1,3").description
