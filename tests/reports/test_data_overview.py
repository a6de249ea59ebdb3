"""What `imdbclf data` prints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import run

from imdbclf.reports.data_overview import length_edges

Capture = pytest.CaptureFixture[str]


def test_the_overview_shows_counts_balance_duplicates_vocabulary_and_a_decoded_review(
    small_files: dict[str, Path], capsys: Capture
) -> None:
    out = run(capsys, "data", str(small_files["train"]), "--review", "3").out
    for expected in ("600", "300", "duplicates", "the", "Review 3", "ones among", "██"):
        assert expected in out


def test_a_review_is_followed_from_its_text_to_the_row_and_back(tmp_path: Path, capsys: Capture) -> None:
    texts = tmp_path / "texts.csv"
    texts.write_text("text,label\nGood film! Good.,pos\nbad film,neg\n", encoding="utf-8")
    shown = [run(capsys, "data", str(texts), "--review", number).out for number in "01"]
    out = next(one for one in shown if "Good film! Good." in one)
    for expected in (
        "(pos), row 0:\n  text:\n    Good film! Good.\n  3 words:\n    good film good\n",
        "their numbers (0 unknown words are 0):\n    1 2 1\n",
        "multi-hot row, 2 ones among 4 columns:\n    0110…\n",
        "columns:\n    1 2\n",
        "(the order is kept):\n    good film good\n",
        "(order and repeats are lost):\n    good film\n",
    ):
        assert expected in out


@pytest.mark.parametrize("lengths", [[0], [1, 1], [5, 2493, 177], [*range(40)]])
def test_every_length_is_in_one_range(lengths: list[int]) -> None:
    edges = length_edges(np.array(lengths, np.int64))
    assert (np.diff(edges) > 0).all()
    assert edges[0] == 0
    assert max(lengths) < edges[-1]


def test_the_overview_of_the_real_reviews_shows_the_known_facts(real_imdb: Path, capsys: Capture) -> None:
    out = run(capsys, "data", str(real_imdb)).out
    for fact in ("25,000", "12,500", " 96 ", " 199 ", "both parts: 123", "88,582"):
        assert fact in out
