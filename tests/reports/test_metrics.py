"""Metrics against cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from imdbclf.reports.metrics import calibration_error, classification_metrics


def test_metrics_of_a_case_worked_by_hand() -> None:
    labels = np.array([1, 1, 1, 0, 0], dtype=np.int8)
    probabilities = np.array([0.9, 0.6, 0.2, 0.4, 0.7], dtype=np.float32)
    losses = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    metrics = classification_metrics(labels, probabilities, losses)
    expected = {"accuracy": 3 / 5, "loss": 0.3, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "auroc": 3 / 6}
    expected |= {"balanced_accuracy": (2 / 3 + 1 / 2) / 2, "larger_class": 3 / 5}
    # Each has a bin of its own: (.1 + .4 + .8 + .4 + .7) / 5.
    expected["calibration_error"] = 2.4 / 5
    assert {name: figure.value for name, figure in metrics.items()} == pytest.approx(expected)


def test_probabilities_are_never_taken_for_logits() -> None:
    # All below .5: torchmetrics would apply a sigmoid only if one lay outside [0, 1].
    labels, probabilities = np.array([0, 0, 1], np.int8), np.array([0.1, 0.2, 0.45], np.float32)
    assert classification_metrics(labels, probabilities, np.ones(3))["accuracy"].value == 2 / 3


def test_the_calibration_error_is_a_mean_over_bins_worked_by_hand() -> None:
    # Three of four in [.8, .867), none of two in [0, .067): 4/6 of .81 - .75, 2/6 of .03.
    labels = np.array([1, 1, 0, 1, 0, 0], np.int8)
    probabilities = np.array([0.81, 0.81, 0.81, 0.81, 0.02, 0.04], np.float32)
    assert calibration_error(labels, probabilities) == pytest.approx(4 / 6 * 0.06 + 2 / 6 * 0.03)


def test_a_probability_of_1_belongs_to_the_last_bin() -> None:
    # .95 and 1 say 1.95 of two; a bin for each would say .05 + 1 instead of .05 - 1.
    labels, probabilities = np.array([1, 0], np.int8), np.array([0.95, 1.0], np.float32)
    assert calibration_error(labels, probabilities) == pytest.approx(abs(1 / 2 - 1.95 / 2))


def test_the_calibration_error_of_many_reviews_is_summed_in_double_precision() -> None:
    probabilities = np.full(2_000_000, 0.7, np.float32)
    labels = np.ones(2_000_000, np.int8)
    assert calibration_error(labels, probabilities) == pytest.approx(1 - float(np.float32(0.7)), abs=1e-9)
