"""Axes, values and numbers as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imdbclf.reports.labels import (
    axis_label,
    axis_labels,
    choice_label,
    configuration_label,
    number_of,
    p_cell,
    p_text,
    percent,
    signed,
)


@pytest.mark.parametrize(
    ("axis", "label"),
    [
        ("model.hidden", "hidden units"),
        ("loss", "loss"),
        ("optimizer.lr", "learning rate"),
        ("optimizer.weight_decay", "weight decay"),
        ("+trainer.log_every_n_steps", "log every n steps"),
    ],
)
def test_an_axis_has_a_label_in_words(axis: str, label: str) -> None:
    assert axis_label(axis) == label


def test_axes_with_the_same_label_keep_their_keys() -> None:
    assert axis_labels(["loss.name", "optimizer.name", "seed"]) == {
        "loss.name": "loss.name",
        "optimizer.name": "optimizer.name",
        "seed": "seed",
    }


@pytest.mark.parametrize(
    ("axis", "value", "label"),
    [
        ("model.layers", "1", "1 layer"),
        ("model.layers", "2", "2 layers"),
        ("model.hidden", "[32,16]", "[32,16] units"),
        ("model.activation", "tanh", "tanh"),
        ("optimizer.lr", "0.01", "learning rate 0.01"),
        ("model.dropout", "0.5", "dropout 0.5"),
    ],
)
def test_a_value_is_labelled_with_its_axis_unless_it_is_clear(axis: str, value: str, label: str) -> None:
    assert choice_label(axis, value) == label


def test_a_configuration_is_one_line() -> None:
    assert configuration_label({"model.layers": "1", "loss": "mse"}) == "1 layer, mse"
    assert configuration_label({}) == "the one configuration"


def test_one_and_many_have_their_own_forms() -> None:
    assert [number_of(n, "seed") for n in (0, 1, 2, 10_000)] == ["0 seeds", "1 seed", "2 seeds", "10,000 seeds"]


def test_accuracies_are_percentages_and_differences_points() -> None:
    assert percent(0.88874) == "88.87 %"
    assert percent(0.88874, 0.0021) == "88.87 ± 0.21 %"
    assert [signed(d) for d in (0.002, -0.001, 0.0, 0.00001, -0.00001)] == ["+0.20", "−0.10", "0.00", "0.00", "0.00"]
    assert signed(-0.001, 0.003) == "−0.10 ± 0.30"


@given(st.floats(-1, 1))
def test_a_difference_has_a_sign_unless_it_is_shown_as_zero(difference: float) -> None:
    shown = signed(difference)
    assert shown == "0.00" or shown[0] == ("+" if difference > 0 else "−")


def test_p_values_have_three_digits() -> None:
    assert [p_cell(p) for p in (None, 0.0004, 0.003, 0.1, 0.9996, 1.0)] == ["–", "< .001", ".003", ".100", "1", "1"]
    assert [p_text(p) for p in (0.0004, 0.003)] == ["p < .001", "p = .003"]
