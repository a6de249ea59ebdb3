"""What follows from thresholds is what torchmetrics computes; intervals hold the value; the cheapest threshold is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional import classification as tm

from imdbclf.reports.evaluation.thresholds import areas, counts_of, with_intervals
from imdbclf.reports.metrics import Labels, Probabilities, balanced_accuracy, calibration_error, classification_metrics

Reviews = tuple[Labels, Probabilities]
PROBABILITIES = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1, width=32))


@st.composite
def reviews(draw: st.DrawFn) -> Reviews:
    """Reviews of both classes, with equal probabilities among them."""
    rows = draw(st.lists(st.tuples(st.integers(0, 1), PROBABILITIES), min_size=1, max_size=40))
    rows += [(0, draw(PROBABILITIES)), (1, draw(PROBABILITIES))]
    return np.array([row[0] for row in rows], np.int8), np.array([row[1] for row in rows], np.float32)


@settings(max_examples=50, deadline=None)
@given(reviews(), st.sampled_from([0.05, 0.35, 0.5, 0.95]))
def test_figures_are_those_of_torchmetrics(found: Reviews, threshold: float) -> None:
    labels, probabilities = found
    truth, predicted = torch.from_numpy(labels.astype(np.int64)), torch.from_numpy(probabilities)
    counts, _ = counts_of(labels, probabilities)
    here = counts.at(threshold)
    matrix = tm.binary_confusion_matrix(predicted, truth, threshold).flatten().tolist()
    assert [here[n] for n in ("true_negatives", "false_positives", "false_negatives", "true_positives")] == matrix
    for name in ("accuracy", "precision", "recall", "f1"):
        function = getattr(tm, f"binary_{name}_score" if name == "f1" else f"binary_{name}")
        assert here[name] == pytest.approx(float(function(predicted, truth, threshold)), abs=1e-6)
    everywhere = areas(counts, threshold)
    assert everywhere["auroc"] == pytest.approx(float(tm.binary_auroc(predicted, truth)), abs=1e-6)
    precision = float(tm.binary_average_precision(predicted, truth))
    assert everywhere["average_precision"] == pytest.approx(precision, abs=1e-6)
    assert everywhere["calibration_error"] == pytest.approx(calibration_error(labels, probabilities), abs=1e-6)
    assert everywhere["balanced_accuracy"] == pytest.approx(balanced_accuracy(labels, probabilities, threshold))
    assert everywhere["f1"] == here["f1"]


@settings(max_examples=50, deadline=None)
@given(reviews(), st.sampled_from([0.2, 1.0, 5.0]))
def test_no_threshold_is_cheaper_than_the_cheapest(found: Reviews, price: float) -> None:
    counts, _ = counts_of(*found)

    def cost(threshold: float) -> float:
        here = counts.at(threshold)
        return here["false_positives"] + price * here["false_negatives"]

    # A threshold below every probability is none: all reviews are called positive then.
    every = [*np.linspace(-0.01, 1, 60).tolist(), *found[1].tolist()]
    assert counts.costs(price).min() == min(cost(threshold) for threshold in every)
    if found[1].min() > 0:
        assert cost(counts.cheapest(price)) == counts.costs(price).min()


def test_the_cheapest_threshold_lies_between_probabilities_and_falls_with_the_price_of_misses() -> None:
    counts, _ = counts_of(np.array([0, 1, 0, 1], np.int8), np.array([0.1, 0.3, 0.6, 0.9], np.float32))
    assert counts.cheapest(5) == pytest.approx(0.2)
    assert counts.cheapest(0.2) == pytest.approx(0.75)


def test_every_metric_has_an_interval_around_its_value() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 500).astype(np.int8)
    probabilities = np.clip(labels * 0.3 + random.random(500) * 0.7, 0, 1).astype(np.float32)
    metrics = classification_metrics(labels, probabilities, random.random(500))
    found = with_intervals(metrics, labels, probabilities)
    assert found.keys() == metrics.keys() | {"average_precision"}
    assert found["accuracy"] == metrics["accuracy"]
    for name in found.keys() - {"larger_class"}:
        low, high = found[name].interval or (1, 0)
        assert low < found[name].value < high
    one_class = classification_metrics(labels[labels == 1], probabilities[labels == 1], random.random(500))
    assert with_intervals(one_class, labels[labels == 1], probabilities[labels == 1]) == one_class
