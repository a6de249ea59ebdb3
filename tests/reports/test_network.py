"""The layers of a network in a table, and what its fit is to reach."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from settings_helpers import optimizer, settings_of

from imdbclf.reports.network import goals, network_table
from imdbclf.setting_values import ACTIVATIONS, FORMULAS, LOSSES

Capture = pytest.CaptureFixture[str]


def cells(columns: int = 10_000, **config: object) -> list[list[str]]:
    table = network_table(settings_of(**config), columns)
    return [list(row) for row in zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True)]


def test_the_lectures_network_has_its_three_layers() -> None:
    shown = [(name, output, count) for name, _, output, count in cells()]
    assert [row for row in shown if row[0] == "linear"] == [
        ("linear", "(n, 16)", "160,016"),
        ("linear", "(n, 16)", "272"),
        ("linear", "(n, 1)", "17"),
    ]
    assert shown[0] == ("multi-hot rows", "(n, 10,000)", "")
    assert shown[-1] == ("sigmoid", "(n, 1)", "0")
    assert str(network_table(settings_of(), 10_000).title) == "The network: 160,305 parameters"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5_000), st.lists(st.integers(1, 70), min_size=1, max_size=4), st.sampled_from([*ACTIVATIONS]))
def test_rows_are_those_of_the_widths(columns: int, widths: list[int], activation: str) -> None:
    rows = cells(columns, model={"hidden": widths, "layers": len(widths), "activation": activation, "dropout": 0.5})
    assert [name for name, *_ in rows[1:-2]] == ["linear", activation, "dropout"] * len(widths)
    counts = [int(count.replace(",", "")) for name, _, _, count in rows if name == "linear"]
    assert counts == [(rows_in + 1) * width for rows_in, width in pairwise([columns, *widths, 1])]


def test_every_activation_and_loss_has_a_formula() -> None:
    assert FORMULAS.keys() == ACTIVATIONS.keys() | LOSSES.keys()


def test_goals_name_loss_optimizer_and_metric() -> None:
    loss, steps, metric = goals(settings_of(loss={"name": "mse", "positive_weight": 2}, **optimizer("sgd", lr=0.5)))
    assert "mse: mean squared error" in loss
    assert loss.endswith("positive_weight=2.0")
    assert "sgd: lr=0.5, momentum=0.0" in steps
    assert "accuracy" in metric
