"""What stands in a multi-hot row instead of ones: log-odds of the terms, rows of length 1.

The log-odds (the log-count ratio) are those of Wang & Manning 2012, "Baselines and Bigrams: Simple, Good Sentiment and
Topic Classification": with p and q the numbers of positive and of negative reviews that hold each term, plus a
smoothing, r = ln((p / ‖p‖₁) / (q / ‖q‖₁)). A review's row times r is what naive Bayes adds up.
"""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from imdbclf.data.multihot import MultiHotMatrix, row_blocks

if TYPE_CHECKING:
    from imdbclf.settings import FeatureSettings

Labels = npt.NDArray[Any]
"""0 and 1, int8; or a teacher's probabilities of 1, float32."""


@dataclass(frozen=True)
class TermWeights:
    """The weight of each column, (width,) float32, or None for 1; and whether each row is divided by its length.

    A row's length is the root of its squares' sum (L2). As a row is normalised on its own, a review's values do not
    depend on the reviews around it.
    """

    by_column: npt.NDArray[np.float32] | None = None
    unit_length: bool = False

    @property
    def are_ones(self) -> bool:
        """Whether every value is 1."""
        return self.by_column is None and not self.unit_length

    def __call__(
        self, offsets: npt.NDArray[np.int64], columns: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.float32] | None:
        """The values of the set columns of n rows, which begin at `offsets` (n + 1,), as many; None for ones."""
        if not self.unit_length:
            return None if self.by_column is None else self.by_column[columns]
        values = np.ones(len(columns), dtype=np.float32) if self.by_column is None else self.by_column[columns]
        n = len(offsets) - 1
        rows = np.repeat(np.arange(n, dtype=np.int64), np.diff(offsets))
        # Each row is summed from 0, so that it does not matter to the last bit what stands before it.
        lengths = np.sqrt(np.bincount(rows, weights=values * values, minlength=n))
        # A row of zeros stays one.
        scale = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0).astype(np.float32)
        weighted: npt.NDArray[np.float32] = values * scale[rows]
        return weighted


def learn_term_weights(settings: FeatureSettings, matrix: MultiHotMatrix, labels: Labels) -> TermWeights:
    """The term weights that the settings name, from the training part alone, n rows of ones."""
    from imdbclf.setting_values import TERM_WEIGHTS  # noqa: PLC0415 - a text is classified without settings

    weigh = resolve_name(TERM_WEIGHTS[settings.weighting])
    if weigh is ones:
        return TermWeights(unit_length=settings.unit_length)
    return TermWeights(weigh(*_counts(matrix, labels), settings.smoothing).astype(np.float32), settings.unit_length)


def _counts(matrix: MultiHotMatrix, labels: Labels) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The numbers of positive and of negative reviews that hold each term."""
    fraction = np.repeat(labels.astype(np.float64), np.diff(matrix.offsets))
    positive = np.bincount(matrix.columns, weights=fraction, minlength=matrix.width)
    return positive, np.bincount(matrix.columns, minlength=matrix.width) - positive


def naive_bayes(train: MultiHotMatrix, labels: Labels, matrix: MultiHotMatrix) -> npt.NDArray[np.bool_]:
    """Whether multinomial naive Bayes calls each of n rows positive, (n,): the baseline of the lecture's network.

    It learns from `train` and its labels. What is set counts as 1 (Wang & Manning 2012), and the smoothing is 1.
    """
    odds = log_odds(*_counts(train, labels), 1.0)
    prior = np.log(labels.sum(dtype=np.float64) / (1 - labels).sum(dtype=np.float64))
    found = []
    for start, end in row_blocks(len(matrix), matrix.width):
        rows = matrix.between(start, end)
        numbers = np.repeat(np.arange(len(rows), dtype=np.int64), np.diff(rows.offsets))
        found.append(np.bincount(numbers, odds[rows.columns], len(rows)) + prior > 0)
    return np.concatenate(found)


def ones(positive: npt.NDArray[Any], negative: npt.NDArray[Any], smoothing: float) -> npt.NDArray[np.float64]:  # noqa: ARG001
    """The multi-hot row itself. Its ones are never stored: see `TermWeights`."""
    return np.ones(len(positive))


def log_odds(positive: npt.NDArray[Any], negative: npt.NDArray[Any], smoothing: float) -> npt.NDArray[np.float64]:
    """Wang & Manning's r of each term, from the numbers of positive and of negative reviews that hold it."""
    p, q = positive + smoothing, negative + smoothing
    ratio: npt.NDArray[np.float64] = np.log(p / p.sum()) - np.log(q / q.sum())
    return ratio
