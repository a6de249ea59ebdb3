from __future__ import annotations

from typing import Any

import pytest

from benchmarks.rows import ROWS, SCALING, Row, chosen_rows, spread
from benchmarks.runs import RUNS
from imdbclf.errors import UserError

SIDE = {"name": "imdbclf", "run": "lecture", "quantity": "seconds"}


def _row(kind: str, *bounds: float) -> Row:
    found: dict[str, Any] = dict(zip(("required", "goal"), bounds, strict=False))
    return Row.model_validate({"short": "", "what": "", "ours": SIDE, "peer": SIDE, "unit": "s", "kind": kind, **found})


@pytest.mark.parametrize(
    ("row", "ours", "peer", "value", "conclusion"),
    [
        (_row("times_less", 8, 13), [1.0, 2.0, 9.0], [18.0, 20.0, 90.0], 10.0, "requirement met"),
        (_row("times_as_much", 1.9, 1.4), [3.0], [2.0], 1.5, "requirement met"),
        (_row("seconds_more", 0.3, 0.15), [0.125], [0.025], 0.1, "goal reached"),
        (_row("fraction", 0.4, 0.2), [30.0, 25.0, 90.0], [100.0], 0.3, "requirement met"),
        (_row("times_less", 3, 5), [2.0], [1.0], 0.5, "MISSED"),
        (_row("times_as_much", 1.9, 1.4), [2.0], [1.0], 2.0, "MISSED"),
        (_row("fraction", 0.4, 0.2), [0.5], [1.0], 0.5, "MISSED"),
        (_row("times_less", 3, 5), [1.0], [3.0], 3.0, "requirement met"),
        (_row("times_as_much", 1.9, 1.4), [1.9], [1.0], 1.9, "requirement met"),
        (_row("reported"), [1.0], [4.0], 4.0, "reported only"),
    ],
)
def test_a_row_compares_medians_and_keeps_its_bounds_or_not(
    row: Row, ours: list[float], peer: list[float], value: float, conclusion: str
) -> None:
    assert row.value(ours, peer) == pytest.approx(value)
    assert row.conclusion(row.value(ours, peer)) == conclusion


@pytest.mark.parametrize(
    ("values", "unit", "text"),
    [
        ([0.1234, 0.2, 0.3], "s", "0.200 (0.123 – 0.300) s"),
        ([12.0, 10.0, 11.0], "s", "11.00 (10.00 – 12.00) s"),
        ([4321.4, 4000.0], "MB", "4,161 (4,000 – 4,321) MB"),
    ],
)
def test_median_smallest_and_largest_are_shown(values: list[float], unit: str, text: str) -> None:
    assert spread(values, unit) == text


def test_every_row_compares_existing_runs() -> None:
    assert {run for row in ROWS.values() for run in row.runs} <= set(RUNS)


def test_all_rows_are_measured_unless_some_are_named() -> None:
    assert chosen_rows([], gpu=False) == [*(name for name in ROWS if name != "lecture_fit_gpu"), SCALING]
    assert chosen_rows(["predict"], gpu=False) == ["predict_many", "predict_one", "predict_command"]
    assert chosen_rows(["lecture_fit"], gpu=True) == ["lecture_fit_gpu"]


def test_an_unknown_row_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"--only encoed: there is no such row; did you mean 'encode'\?"):
        chosen_rows(["encoed"], gpu=False)
