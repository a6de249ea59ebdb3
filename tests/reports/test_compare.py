"""Runs compared on the same test reviews: counts made by hand, real runs, and what the command prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import made, run
from scipy import stats

from imdbclf.reports.compare import compare_runs
from reports.helpers import predicted

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


def test_the_command_prints_runs_differences_and_reviews(approvals: list[Path], capsys: Capture) -> None:
    out = run(capsys, "compare", *map(str, approvals[:2])).out
    assert "B − A: −4.00 points (95 % interval −5.88 to −2.12), significant (p < .001)." in out
    assert f"A  {approvals[0]}" in out
    assert "The largest differences among 1,600 test reviews:" in out
    assert "(no words are shown: " in out
    assert "This compares networks, not settings" in out


def test_the_27th_run_is_named_by_two_letters(tmp_path: Path, capsys: Capture) -> None:
    runs = [predicted(tmp_path / str(number), ["a"], [1], [number / 27]) for number in range(27)]
    out = run(capsys, "compare", *map(str, runs), "--reviews", "0").out
    assert f"\nZ  {runs[25]}\nAA  {runs[26]}\n" in out
    assert "\nAA − A: " in out


def test_a_refusal_is_one_line(tmp_path: Path, approvals: list[Path], capsys: Capture) -> None:
    result = run(capsys, "compare", str(approvals[0]), str(tmp_path / "nowhere"))
    assert (result.status, result.err.count("\n")) == (2, 1)
