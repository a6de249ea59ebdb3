"""Temperature scaling: one number by which logits are divided, so that probabilities come true as often as they say.

Guo, Pleiss, Sun, Weinberger (2017), "On Calibration of Modern Neural Networks". Above 1 it takes confidence back, which
is what a network needs that was trained until it overfits; no review changes sides.
"""

from __future__ import annotations

from math import exp, log

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

HIGHEST = 20.0
"""The highest temperature that is sought, and its inverse the lowest.

A network that makes no mistake on the validation part would have it go to 0, one that is always wrong to infinity.
"""


def fit_temperature(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int8]) -> float:
    """The temperature of the lowest negative log-likelihood of the labels.

    It is 1 where no other has a lower one, and where the fit diverged, so that there is no likelihood.

    The likelihood has one minimum, since it is convex in the temperature's inverse. It is sought over the logarithm, in
    which half and double are equally far from 1. The order of the reviews changes nothing, to the last digit.

    Args:
        logits: (n,) with n at least 1.
        labels: (n,) of 0 and 1.
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - only who fits a temperature waits for it

    # Sorted, since sums of floating-point numbers depend on their order.
    margins = np.sort(np.where(labels == 1, logits, -logits).astype(np.float64))
    if not np.isfinite(margins).all():
        return 1.0

    def surprise(log_temperature: float) -> float:
        return float(np.logaddexp(0, -margins / exp(log_temperature)).mean())

    ends = (-log(HIGHEST), log(HIGHEST))
    found = float(minimize_scalar(surprise, bounds=ends, method="bounded", options={"xatol": 1e-8}).x)
    return exp(found) if surprise(found) < surprise(0) else 1.0


def calibrated(logits: Tensor, temperature: float) -> Tensor:
    """The probabilities of being positive, sigmoid(logits / temperature), of the logits' shape and type.

    A probability is above .5 exactly where it is at the temperature 1: a logit so near 0 that rounding would carry it
    over keeps the probability that it has there, which differs by no more than that rounding.
    """
    bare = torch.sigmoid(logits)
    if temperature == 1:
        return bare
    scaled = torch.sigmoid(logits / temperature)
    return torch.where((scaled > 0.5) == (bare > 0.5), scaled, bare)  # noqa: PLR2004
