"""What `imdbclf data` prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import run

Capture = pytest.CaptureFixture[str]


def test_the_overview_shows_counts_balance_duplicates_vocabulary_and_a_decoded_review(
    small_files: dict[str, Path], capsys: Capture
) -> None:
    out = run(capsys, "data", str(small_files["train"]), "--review", "3").out
    for expected in ("600", "300", "duplicates", "the", "Review 3", "ones among"):
        assert expected in out


def test_the_overview_of_the_real_reviews_shows_the_known_facts(real_imdb: Path, capsys: Capture) -> None:
    out = run(capsys, "data", str(real_imdb)).out
    for fact in ("25,000", "12,500", " 96 ", " 199 ", "both parts: 123", "88,582"):
        assert fact in out
