"""Temperature scaling: what the fit finds, and what dividing logits may never change."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imdbclf.model.calibration import HIGHEST, calibrated, fit_temperature

SEEDS = st.integers(0, 2**32 - 1)
TEMPERATURES = st.floats(0.3, 5)


def drawn(seed: int, n: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    """Logits, and labels that are 1 as often as the logits say."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, n)
    labels = rng.random(n) < 1 / (1 + np.exp(-logits))
    return logits.astype(np.float32), labels.astype(np.int8)


def surprise(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int8], temperature: float) -> float:
    """The negative log-likelihood, by torch."""
    scaled = torch.from_numpy(logits).double() / temperature
    target = torch.from_numpy(labels).double()
    return torch.nn.functional.binary_cross_entropy_with_logits(scaled, target).item()


@settings(max_examples=30, deadline=None)
@given(SEEDS, TEMPERATURES)
def test_logits_that_exaggerate_by_a_factor_get_that_factor_back(seed: int, factor: float) -> None:
    logits, labels = drawn(seed, 20_000)
    # Its standard error is some 1.5 % here.
    assert fit_temperature((factor * logits).astype(np.float32), labels) == pytest.approx(factor, rel=0.1)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(1, 50), st.floats(0.01, 100))
def test_no_other_temperature_makes_the_labels_likelier(seed: int, n: int, factor: float) -> None:
    logits, labels = drawn(seed, n)
    logits = (factor * logits).astype(np.float32)
    temperature = fit_temperature(logits, labels)
    assert 1 / HIGHEST <= temperature <= HIGHEST
    least = surprise(logits, labels, temperature)
    for other in (1.0, temperature * 1.001, temperature / 1.001, 1 / HIGHEST, HIGHEST):
        if 1 / HIGHEST <= other <= HIGHEST:
            assert least <= surprise(logits, labels, other) * (1 + 1e-6) + 1e-9


@settings(max_examples=30, deadline=None)
@given(SEEDS, SEEDS)
def test_the_order_of_the_reviews_changes_no_digit(seed: int, other: int) -> None:
    logits, labels = drawn(seed, 300)
    order = np.random.default_rng(other).permutation(300)
    assert fit_temperature(logits[order], labels[order]) == fit_temperature(logits, labels)


def test_a_network_without_mistakes_or_without_a_right_answer_comes_to_an_end_of_what_is_sought() -> None:
    logits, labels = np.array([3, -2, 1], np.float32), np.array([1, 0, 1], np.int8)
    assert fit_temperature(logits, labels) == pytest.approx(1 / HIGHEST, rel=1e-3)
    assert fit_temperature(-logits, labels) == pytest.approx(HIGHEST, rel=1e-3)


def test_where_nothing_is_better_than_1_or_nothing_can_be_said_it_is_1() -> None:
    assert fit_temperature(np.zeros(4, np.float32), np.array([1, 0, 1, 1], np.int8)) == 1
    assert fit_temperature(np.full(2, np.nan, np.float32), np.array([1, 0], np.int8)) == 1


NEAR_AND_FAR = st.floats(-(2**-16), 2**-16, width=32) | st.floats(-200, 200, width=32)


@settings(deadline=None)
@given(st.lists(NEAR_AND_FAR, min_size=1, max_size=20), st.floats(1 / HIGHEST, HIGHEST))
@example([2e-7, -2e-7, 5e-8, 0.0], HIGHEST)
@example([5e-8, 2e-8, -2e-8], 1 / HIGHEST)
def test_no_review_changes_sides(logits: list[float], temperature: float) -> None:
    values = torch.tensor(logits)
    chance = calibrated(values, temperature)
    assert torch.equal(chance > 0.5, torch.sigmoid(values) > 0.5)
    torch.testing.assert_close(chance, torch.sigmoid(values / temperature), atol=2e-6, rtol=0)


def test_the_temperature_1_leaves_every_bit() -> None:
    logits = torch.randn(1_000, generator=torch.Generator().manual_seed(0)) * 10
    assert torch.equal(calibrated(logits, 1.0), torch.sigmoid(logits))


def test_a_case_worked_by_hand() -> None:
    # sigmoid(ln 9 / 2) = 3 / (3 + 1)
    assert calibrated(torch.tensor([np.log(9.0)]), 2.0).item() == pytest.approx(3 / 4)
