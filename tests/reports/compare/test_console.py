"""What `imdbclf compare` prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import run

from reports.compare.helpers import predicted

Capture = pytest.CaptureFixture[str]


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
