"""Runs are compared on the same test reviews, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imdbclf.errors import UserError
from imdbclf.reports.compare.predictions import read_predictions, read_runs
from reports.compare.helpers import predicted

IDS, LABELS, CHANCES = ["a", "b", "c"], [0, 1, 1], [0.1, 0.9, 0.4]


def test_rows_of_equal_order_are_left_as_they_are(tmp_path: Path) -> None:
    # Equal ids in this order need no sorting, and would be mixed up by one that is not stable.
    first = predicted(tmp_path / "A", ["b", "a", "a"], [1, 0, 0], [0.9, 0.1, 0.2])
    second = predicted(tmp_path / "B", ["b", "a", "a"], [1, 0, 0], [0.8, 0.3, 0.4])
    one, other = read_runs([first, second])
    assert one.ids.tolist() == ["b", "a", "a"]
    assert other.probabilities == pytest.approx([0.8, 0.3, 0.4])


@given(order=st.permutations(range(6)))
def test_rows_in_another_order_are_matched_by_id(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    folder = tmp_path_factory.mktemp("runs")
    ids, labels, chances = list("abcdef"), [0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.6, 0.7]
    first = predicted(folder / "A", ids, labels, chances)
    shuffled = ([values[k] for k in order] for values in (ids, labels, chances))
    one, other = read_runs([first, predicted(folder / "B", *shuffled)])  # type: ignore[arg-type]
    assert one.ids.tolist() == other.ids.tolist()
    assert np.array_equal(one.probabilities, other.probabilities)


def test_what_is_right_is_what_metrics_counts(finished_run: Path) -> None:
    metrics = json.loads((finished_run / "metrics.json").read_text(encoding="utf-8"))
    assert float(read_predictions(finished_run).right.mean()) == metrics["test/accuracy"]


def test_even_chances_are_negative_as_everywhere_else(tmp_path: Path) -> None:
    run = read_predictions(predicted(tmp_path / "A", ["a", "b"], [0, 1], [0.5, 0.5]))
    assert run.right.tolist() == [True, False]


def test_runs_that_can_not_be_paired_are_refused_by_name_and_number(tmp_path: Path) -> None:
    first = predicted(tmp_path / "A", IDS, LABELS, CHANCES)
    cases = {
        "2 only in the first, 1 only in the second": predicted(tmp_path / "B", ["a", "d"], [0, 1], [0.1, 0.2]),
        r"other labels \(1 of 3\)": predicted(tmp_path / "C", IDS, [0, 1, 0], CHANCES),
        "1 only in the first, 1 only in the second": predicted(tmp_path / "D", ["a", "b", "b"], LABELS, CHANCES),
    }
    for message, other in cases.items():
        with pytest.raises(UserError, match=message):
            read_runs([first, other])


def test_what_is_no_run_or_has_no_predictions_is_refused(tmp_path: Path) -> None:
    first = predicted(tmp_path / "A", IDS, LABELS, CHANCES)
    unfinished = predicted(tmp_path / "B", IDS, LABELS, CHANCES)
    (unfinished / "predictions.parquet").unlink()
    damaged = predicted(tmp_path / "C", IDS, LABELS, CHANCES)
    (damaged / "predictions.parquet").write_bytes(b"PAR1")
    cases = {
        "is not the folder of a run": tmp_path / "nowhere",
        "has no predictions.parquet": unfinished,
        "predictions.parquet: cannot be read": damaged,
        "has no reviews": predicted(tmp_path / "D", [], [], []),
    }
    for message, path in cases.items():
        with pytest.raises(UserError, match=message):
            read_runs([first, path])


def test_one_run_and_the_same_run_twice_are_refused(tmp_path: Path) -> None:
    first = predicted(tmp_path / "A", IDS, LABELS, CHANCES)
    with pytest.raises(UserError, match="at least two runs"):
        read_runs([first])
    with pytest.raises(UserError, match="is named 2 times"):
        read_runs([first, first / ".." / "A"])
