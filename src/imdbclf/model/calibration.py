"""From logits to probabilities, and from these to labels.

In temperature scaling, logits are divided by one number, so that probabilities match frequencies:

Guo, Pleiss, Sun, Weinberger (2017), "On Calibration of Modern Neural Networks". A temperature above 1 makes the network
less confident, which corrects overfitting. Labels at the threshold .5 do not change.
"""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    # Texts are classified without torch, which takes a second to import.
    from torch import Tensor

EVEN = 0.5
"""The threshold if nothing else is said: a higher probability means positive, which is the likelier class then."""

HIGHEST = 20.0
"""The upper bound of the temperature; the lower bound is its inverse.

Without bounds it would be 0 for a network without errors on the validation part, and infinite for one that is always
wrong.
"""


def fit_temperature(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int8]) -> float:
    """The temperature with the lowest negative log-likelihood of the labels (n,), 0 or 1, given the logits (n,).

    It is 1 if no other temperature is better, or if the logits are not finite. There is one minimum, since the negative
    log-likelihood is convex in the inverse of the temperature. The search uses the logarithm, so that one half and two
    are equally far from 1. The result does not depend on the order of the reviews.
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - slow to import

    # Sorted, because a sum of floating-point numbers depends on their order.
    margins = np.sort(np.where(labels == 1, logits, -logits).astype(np.float64))
    if not np.isfinite(margins).all():
        return 1.0

    def negative_log_likelihood(log_temperature: float) -> float:
        return float(np.logaddexp(0, -margins / exp(log_temperature)).mean())

    ends = (-log(HIGHEST), log(HIGHEST))
    found = float(minimize_scalar(negative_log_likelihood, bounds=ends, method="bounded", options={"xatol": 1e-8}).x)
    return exp(found) if negative_log_likelihood(found) < negative_log_likelihood(0) else 1.0


def calibrated(logits: Tensor, temperature: float) -> Tensor:
    """The probabilities of being positive, sigmoid(logits / temperature), with the logits' shape and dtype.

    A probability is above .5 if and only if it is above .5 at the temperature 1. If rounding would change the predicted
    label of a logit near 0, its probability at the temperature 1 is used.
    """
    bare = logits.sigmoid()
    if temperature == 1:
        return bare
    scaled = (logits / temperature).sigmoid()
    return scaled.where((scaled > EVEN) == (bare > EVEN), bare)


def calibrated_one(logit: float, temperature: float) -> float:
    """The same for a single logit, in double precision; torch takes longer for one than all the rest."""
    small = exp(-abs(logit / temperature))  # never overflows
    return (1 if logit >= 0 else small) / (1 + small)


def calibrated_array(logits: npt.NDArray[np.floating[Any]], temperature: float) -> npt.NDArray[np.float64]:
    """The same for many logits, with their shape."""
    small = np.exp(-np.abs(logits / np.float64(temperature)))
    probabilities: npt.NDArray[np.float64] = np.where(logits >= 0, 1, small) / (1 + small)
    return probabilities
