"""Figures and intervals against published examples and plain formulas."""

from __future__ import annotations

import numpy as np
import pytest

from imdbclf.reports.figures import classification_figures, mean_interval, proportion_interval


def test_wilsons_interval_is_that_of_newcombes_example() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263, score method.
    assert proportion_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert proportion_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_the_interval_of_a_mean_is_students() -> None:
    # Mean 3, standard error sqrt(2.5 / 5), t(.975; 4) = 2.776445.
    half = 2.776445 * (2.5 / 5) ** 0.5
    assert mean_interval(np.array([1.0, 2, 3, 4, 5])) == pytest.approx((3 - half, 3 + half), abs=1e-5)


def test_a_single_value_has_no_interval() -> None:
    assert mean_interval(np.array([1.0])) is None


def test_figures_of_a_case_worked_by_hand() -> None:
    labels = np.array([1, 1, 1, 0, 0], dtype=np.int8)
    probabilities = np.array([0.9, 0.6, 0.2, 0.4, 0.7], dtype=np.float32)
    losses = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    figures = classification_figures(labels, probabilities, losses)
    expected = {"accuracy": 3 / 5, "loss": 0.3, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "auroc": 3 / 6}
    assert {name: figure.value for name, figure in figures.items()} == pytest.approx(expected)


def test_probabilities_are_never_taken_for_logits() -> None:
    # All below .5: torchmetrics would apply a sigmoid only if one lay outside [0, 1].
    labels, probabilities = np.array([0, 0, 1], np.int8), np.array([0.1, 0.2, 0.45], np.float32)
    assert classification_figures(labels, probabilities, np.ones(3))["accuracy"].value == 2 / 3
