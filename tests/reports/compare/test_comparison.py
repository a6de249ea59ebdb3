"""Runs compared on the same test reviews, against counts made by hand and on real runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from commands import made, run
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from imdbclf.errors import UserError
from imdbclf.reports.compare.comparison import compare_runs, read_predictions, read_runs
from reports.compare.helpers import predicted

Capture = pytest.CaptureFixture[str]


def test_two_runs_are_compared_by_the_reviews_that_only_one_gets_right(approvals: list[Path]) -> None:
    comparison = compare_runs(approvals[:2])
    (difference,) = comparison.differences
    assert [one.accuracy for one in comparison.runs] == [944 / 1600, 880 / 1600]
    assert (difference.only_first_right, difference.only_this_right) == (150, 86)
    assert difference.difference == pytest.approx(-0.04)
    assert difference.p == difference.p_holm == pytest.approx(stats.binomtest(86, 236).pvalue)
    assert difference.interval[0] < -0.04 < difference.interval[1] < 0
    assert difference.is_significant


def test_several_runs_are_each_compared_with_the_first_and_adjusted(approvals: list[Path]) -> None:
    comparison = compare_runs(approvals)
    assert [difference.run for difference in comparison.differences] == [str(path) for path in approvals[1:]]
    raw = [difference.p for difference in comparison.differences]
    assert [difference.p_holm for difference in comparison.differences] == pytest.approx([raw[0], 2 * raw[1]])


def test_the_reviews_with_the_largest_differences_come_first(approvals: list[Path]) -> None:
    dividing = compare_runs(approvals[:2], dividing=90).dividing
    assert [review.id for review in dividing[:2]] == ["0944", "0945"]
    assert dividing[0].probabilities == pytest.approx([0.1, 0.95])
    assert dividing[86].id == "0794"
    assert compare_runs(approvals[:2], dividing=0).dividing == []


def test_equal_runs_have_no_difference_and_no_dividing_review(tmp_path: Path) -> None:
    runs = [predicted(tmp_path / name, ["a", "b"], [0, 1], [0.1, 0.9]) for name in "AB"]
    comparison = compare_runs(runs)
    assert comparison.dividing == []
    assert (comparison.differences[0].p, comparison.differences[0].interval) == (1.0, (0.0, 0.0))


@pytest.fixture(scope="module")
def second_run(tmp_path_factory: pytest.TempPathFactory, small: list[str], cache_folder: Path) -> Path:
    """Another small run on the reviews of `finished_run`."""
    folder = tmp_path_factory.mktemp("second") / "run"
    made(cache_folder, "train", *small, "model.activation=tanh", "seed=1", f"hydra.run.dir={folder}")
    return folder


def test_real_runs_are_compared_with_the_words_of_their_reviews(
    finished_run: Path, second_run: Path, small_files: dict[str, Path], capsys: Capture
) -> None:
    result = run(capsys, "compare", str(finished_run), str(second_run), "--reviews", "3", "--json")
    found = json.loads(result.out)
    assert (found["reviews"], found["note"]) == (200, None)
    texts = [json.loads(line)["text"] for line in small_files["test"].read_text(encoding="utf-8").splitlines()]
    for review in found["dividing"]:
        beginning = review["begins"].removesuffix(" …").split()
        assert any(text.lower().split()[: len(beginning[:2])] == beginning[:2] for text in texts)
    assert [one["accuracy"] for one in found["runs"]] == [
        json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["test/accuracy"]
        for folder in (finished_run, second_run)
    ]


IDS, LABELS, CHANCES = ["a", "b", "c"], [0, 1, 1], [0.1, 0.9, 0.4]


def test_repeated_reviews_are_matched_in_their_order(tmp_path: Path) -> None:
    # Equal ids: an unstable sort would mix them up.
    first = predicted(tmp_path / "A", ["b", "a", "a"], [1, 0, 0], [0.9, 0.1, 0.2])
    second = predicted(tmp_path / "B", ["b", "a", "a"], [1, 0, 0], [0.8, 0.3, 0.4])
    one, other = read_runs([first, second])
    assert one.probabilities == pytest.approx([0.1, 0.2, 0.9])
    assert other.probabilities == pytest.approx([0.3, 0.4, 0.8])


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(6)))
def test_rows_in_another_order_are_matched_by_id(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    folder = tmp_path_factory.mktemp("runs")
    ids, labels, chances = list("abcdef"), [0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.6, 0.7]
    first = predicted(folder / "A", ids, labels, chances)
    shuffled = ([values[k] for k in order] for values in (ids, labels, chances))
    one, other = read_runs([first, predicted(folder / "B", *shuffled)])  # type: ignore[arg-type]
    assert one.ids.tolist() == other.ids.tolist()
    assert np.array_equal(one.probabilities, other.probabilities)


def test_right_reviews_give_the_accuracy_of_the_metrics(finished_run: Path) -> None:
    metrics = json.loads((finished_run / "metrics.json").read_text(encoding="utf-8"))
    assert float(read_predictions(finished_run).right.mean()) == metrics["test/accuracy"]


def test_a_probability_of_one_half_is_negative(tmp_path: Path) -> None:
    run = read_predictions(predicted(tmp_path / "A", ["a", "b"], [0, 1], [0.5, 0.5]))
    assert run.right.tolist() == [True, False]


def test_runs_with_different_test_reviews_are_refused(tmp_path: Path) -> None:
    first = predicted(tmp_path / "A", IDS, LABELS, CHANCES)
    cases = {
        "2 only in the first, 1 only in the second": predicted(tmp_path / "B", ["a", "d"], [0, 1], [0.1, 0.2]),
        r"different labels for the same test reviews \(1 of 3\)": predicted(tmp_path / "C", IDS, [0, 1, 0], CHANCES),
        "1 only in the first, 1 only in the second": predicted(tmp_path / "D", ["a", "b", "b"], LABELS, CHANCES),
    }
    for message, other in cases.items():
        with pytest.raises(UserError, match=message):
            read_runs([first, other])


def test_a_folder_without_readable_predictions_is_refused(tmp_path: Path) -> None:
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
    with pytest.raises(UserError, match="is given 2 times"):
        read_runs([first, first / ".." / "A"])
