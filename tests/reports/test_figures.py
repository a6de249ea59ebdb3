"""Figures against cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from imdbclf.reports.figures import classification_figures


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
