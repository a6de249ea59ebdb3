"""The lecture's losses on the sigmoid's output. They take logits, so that no probability is rounded to 0 or 1.

Keras clips probabilities to [1e-7, 1 - 1e-7] instead. This limits its cross-entropy to 16.1 and makes the gradient 0
there. Below this limit both agree up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from pkgutil import resolve_name

import torch
from torch import Tensor
from torch.nn import functional

from imdbclf.setting_values import LOSSES

Loss = Callable[..., Tensor]
"""A loss of logits and labels, both (n,): the mean over the batch, or with `reduction="none"` one per review."""


def binary_cross_entropy(logits: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    """-log p(label) in nats; labels are 0.0 or 1.0."""
    return functional.binary_cross_entropy_with_logits(logits, labels, reduction=reduction)


def mean_squared_error(logits: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    """(p - label)²; labels are 0.0 or 1.0."""
    return functional.mse_loss(torch.sigmoid(logits), labels, reduction=reduction)


def weighted(loss: Loss, positive_weight: float) -> Loss:
    """The loss in which a positive review counts `positive_weight` times; the mean is still over the reviews."""
    if positive_weight == 1:
        return loss

    def of_batch(logits: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
        each = loss(logits, labels, reduction="none") * (1 + (positive_weight - 1) * labels)
        return each.mean() if reduction == "mean" else each

    return of_batch


def make_loss(name: str) -> Loss:
    """The loss of this name in `imdbclf.settings.LOSSES`."""
    loss: Loss = resolve_name(LOSSES[name])
    return loss
