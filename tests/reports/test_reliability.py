"""The reliability diagram's bins, and that it is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imdbclf.reports.metrics import calibration_error
from imdbclf.reports.reliability import draw_reliability, reliability_bins
from imdbclf.reports.statistics import proportion_interval

REVIEWS = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1, width=32)), min_size=1, max_size=60)


def arrays(reviews: list[tuple[int, float]]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    labels, probabilities = zip(*reviews, strict=True)
    return np.array(labels, np.int8), np.array(probabilities, np.float32)


def test_bins_of_a_case_worked_by_hand() -> None:
    labels, probabilities = arrays([(0, 0.0), (1, 0.05), (1, 0.95), (1, 1.0), (0, 0.94)])
    low, high = reliability_bins(labels, probabilities)
    assert (low.count, low.predicted, low.observed) == pytest.approx((2, 0.025, 1 / 2))
    assert (high.count, high.predicted, high.observed) == pytest.approx((3, 2.89 / 3, 2 / 3))
    assert high.interval == proportion_interval(2, 3)


@settings(max_examples=50, deadline=None)
@given(REVIEWS)
def test_bins_hold_every_review_once_and_give_the_calibration_error(reviews: list[tuple[int, float]]) -> None:
    labels, probabilities = arrays(reviews)
    bins = reliability_bins(labels, probabilities)
    assert sum(one.count for one in bins) == len(reviews)
    assert sum(one.count * one.observed for one in bins) == pytest.approx(labels.sum())
    for one in bins:
        assert one.interval[0] <= one.observed <= one.interval[1] or one.observed in {0, 1}
    error = sum(one.count * abs(one.observed - one.predicted) for one in bins) / len(reviews)
    assert calibration_error(labels, probabilities) == pytest.approx(error, abs=1e-12)


@pytest.mark.parametrize("factor", [1.0, 2.0], ids=["one", "before and after"])
def test_the_plot_is_drawn_of_few_reviews_and_of_many(tmp_path: Path, factor: float) -> None:
    for n in (1, 500):
        logits = np.random.default_rng(0).normal(0, 3, n)
        chance, before = ((1 / (1 + np.exp(-scale * logits))).astype(np.float32) for scale in (1, factor))
        draw_reliability((logits > 1).astype(np.int8), chance, before, tmp_path / f"{n}.png", "lecture")
        assert (tmp_path / f"{n}.png").read_bytes().startswith(b"\x89PNG")
