from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imdbclf.model.losses import Loss, binary_cross_entropy, make_loss, mean_squared_error, weighted

REVIEWS = st.lists(st.tuples(st.floats(-20, 20, width=32), st.sampled_from([0.0, 1.0])), min_size=1, max_size=10)


def tensors(reviews: list[tuple[float, float]]) -> tuple[torch.Tensor, torch.Tensor]:
    logits, labels = zip(*reviews, strict=True)
    return torch.tensor(logits, dtype=torch.float64), torch.tensor(labels, dtype=torch.float64)


@settings(max_examples=50, deadline=None)
@given(REVIEWS)
def test_cross_entropy_is_minus_the_log_of_the_labels_probability(reviews: list[tuple[float, float]]) -> None:
    logits, labels = tensors(reviews)
    p = 1 / (1 + np.exp(-logits.numpy()))
    expected = -(labels.numpy() * np.log(p) + (1 - labels.numpy()) * np.log1p(-p))
    np.testing.assert_allclose(binary_cross_entropy(logits, labels, reduction="none"), expected, rtol=1e-6, atol=1e-9)
    assert binary_cross_entropy(logits, labels).item() == pytest.approx(expected.mean(), rel=1e-6)


@settings(max_examples=50, deadline=None)
@given(REVIEWS)
def test_squared_error_is_that_of_the_probability(reviews: list[tuple[float, float]]) -> None:
    logits, labels = tensors(reviews)
    expected = (1 / (1 + np.exp(-logits.numpy())) - labels.numpy()) ** 2
    np.testing.assert_allclose(mean_squared_error(logits, labels, reduction="none"), expected, rtol=1e-9)
    assert mean_squared_error(logits, labels).item() == pytest.approx(expected.mean(), rel=1e-9)


def test_undecided_is_log_2_and_a_quarter() -> None:
    logits, labels = torch.zeros(2), torch.tensor([0.0, 1.0])
    assert binary_cross_entropy(logits, labels).item() == pytest.approx(0.693147, abs=1e-6)
    assert mean_squared_error(logits, labels).item() == 0.25


def test_logits_of_a_thousand_overflow_nowhere() -> None:
    logits = torch.tensor([1000.0, -1000.0, 1000.0, -1000.0], requires_grad=True)
    labels = torch.tensor([1.0, 0.0, 0.0, 1.0])
    assert binary_cross_entropy(logits, labels, reduction="none").tolist() == [0.0, 0.0, 1000.0, 1000.0]
    assert mean_squared_error(logits, labels, reduction="none").tolist() == [0.0, 0.0, 1.0, 1.0]
    for loss, gradient in ((binary_cross_entropy, [0.0, 0.0, 0.25, -0.25]), (mean_squared_error, [0.0] * 4)):
        (found,) = torch.autograd.grad(loss(logits, labels), logits)
        assert found.tolist() == gradient


def test_gradients_are_those_of_the_formulas() -> None:
    logits = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    p = torch.sigmoid(logits.detach())
    for loss, expected in (
        (binary_cross_entropy, (p - labels) / 3),
        (mean_squared_error, 2 * (p - labels) * p * (1 - p) / 3),
    ):
        (found,) = torch.autograd.grad(loss(logits, labels), logits)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("loss", [binary_cross_entropy, mean_squared_error])
def test_positive_reviews_can_count_more_often(loss: Loss) -> None:
    logits, labels = torch.tensor([0.3, -1.0, 2.0]), torch.tensor([1.0, 0.0, 0.25])
    each = loss(logits, labels, reduction="none")
    assert weighted(loss, 3)(logits, labels, reduction="none").tolist() == pytest.approx(
        [3 * each[0].item(), each[1].item(), 1.5 * each[2].item()]
    )
    assert weighted(loss, 3)(logits, labels).item() == pytest.approx((3 * each[0] + each[1] + 1.5 * each[2]).item() / 3)
    assert weighted(loss, 1) is loss


def test_a_loss_is_made_by_its_name() -> None:
    assert make_loss("bce") is binary_cross_entropy
    assert make_loss("mse") is mean_squared_error
