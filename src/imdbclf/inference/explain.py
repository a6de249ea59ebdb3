"""Why a network says what it says: the exact effect of each word on the probability.

The effect of a word is the probability minus what it would be without the word (leave one out). "Without" means
blanked: the terms with this word, n-grams too, are taken away. No neighbours move together, and the column of unknown
words stays as it is. All occurrences of a word go together, because a multi-hot row counts none of them.

The sums of the first layer make this exact and cheap: a difference for each word, and all of them go through the other
layers together. LIME and SHAP estimate related numbers from hundreds of changed texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from imdbclf.data.multihot import UNKNOWN, MultiHotMatrix, row_blocks
from imdbclf.data.tokenize import tokenize
from imdbclf.model.calibration import calibrated_array
from imdbclf.reports.explanation import Explanation, PairEffect, TermEffect, WordEffect

if TYPE_CHECKING:
    from imdbclf.checkpoint import Checkpoint
    from imdbclf.inference.pretrained import Pretrained

STRONGEST = 6
"""Words of a text whose pairs are looked at."""

RARE = 0.001
"""Terms in fewer of the reviews than this share say little about the whole network."""

Floats = npt.NDArray[np.float64]


class Explainer:
    """Explains what a checkpoint says of texts."""

    def __init__(self, checkpoint: Checkpoint | Pretrained) -> None:
        self._checkpoint = checkpoint
        self._members = checkpoint.arrays()
        self._weights = [member.arrays[0].astype(np.float64) for member in self._members]

    def explain(self, text: str) -> Explanation:
        """The exact effects of a text's words, and of pairs of the strongest."""
        vectorizer = self._checkpoint.vectorizer
        words = tokenize(text, sentence_ends=vectorizer.sentence_ends)
        columns = vectorizer.vocabulary.columns_of(words)
        terms_with = self._terms_with(columns)
        probabilities = self._probabilities(columns)
        known = list(terms_with)
        whole, *without = probabilities([(), *terms_with.values()])
        # Equal effects differ in their last digits: matrix products round each row in its own way.
        order = np.argsort(-np.abs(whole - np.array(without)).round(9), kind="stable")
        strongest = [known[place] for place in order[:STRONGEST]]
        pairs = list(combinations(strongest, 2))
        together = probabilities([terms_with[a] + terms_with[b] for a, b in pairs])
        alone = dict(zip(known, without, strict=True))
        found = [
            PairEffect((a, b), float(whole - alone[a] - alone[b] + both))
            for (a, b), both in zip(pairs, together, strict=True)
        ]
        return Explanation(
            text,
            self._checkpoint.label_names[int(whole > self._checkpoint.threshold)],
            float(whole),
            [WordEffect(known[place], float(whole - without[place])) for place in order],
            sorted(found, key=lambda pair: -abs(pair.effect)),
        )

    def _terms_with(self, columns: npt.NDArray[np.int32]) -> dict[str, tuple[int, ...]]:
        """The places among the columns of the terms that have each word."""
        found: dict[str, list[int]] = {}
        terms = self._checkpoint.vectorizer.vocabulary.terms
        for place, column in enumerate(columns.tolist()):
            for word in dict.fromkeys(terms[column - 1].split(" ")) if column != UNKNOWN else ():
                found.setdefault(word, []).append(place)
        return {word: tuple(places) for word, places in found.items()}

    def _probabilities(self, columns: npt.NDArray[np.int32]) -> Callable[[Sequence[tuple[int, ...]]], Floats]:
        """What gives the probability for each of n sets of terms that are taken away, (n,)."""
        values = self._values(columns)

        def given(taken: Sequence[tuple[int, ...]]) -> Floats:
            numbers = np.repeat(np.arange(len(taken), dtype=np.int64), [len(set(places)) for places in taken])
            places = np.array([place for places in taken for place in set(places)], dtype=np.int64)
            squares = _left(values[:, None] ** 2, numbers, places, len(taken))[:, 0]
            scale = self._scale(squares, values @ values)
            logits = []
            for member, matrix in zip(self._members, self._weights, strict=True):
                sums = _left(values[:, None] * matrix[columns], numbers, places, len(taken)) * scale[:, None]
                logits.append(member.from_sums(sums))
            return calibrated_array(np.mean(logits, axis=0), self._checkpoint.temperature)

        return given

    def _values(self, columns: npt.NDArray[np.int32]) -> Floats:
        """The value of each column before its row gets the length 1."""
        by_column = self._checkpoint.vectorizer.term_weights.by_column
        return np.ones(len(columns)) if by_column is None else by_column[columns].astype(np.float64)

    def _scale(self, squares: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
        """By what rows are multiplied, given the squares of their values and of those before terms were taken away."""
        if not self._checkpoint.vectorizer.term_weights.unit_length:
            return np.ones(len(squares))
        # What is left of no terms is rounding.
        return np.where(squares > 1e-9 * whole, squares, np.inf) ** -0.5

    def terms(self, matrix: MultiHotMatrix) -> list[TermEffect]:
        """The mean exact effect of each term over the rows that have it, the largest first; without rare terms.

        The effect is that of the term's column alone.
        """
        total, counts = np.zeros(matrix.width), np.zeros(matrix.width, dtype=np.int64)
        for start, end in row_blocks(len(matrix), matrix.width):
            rows = matrix.between(start, end)
            total += np.bincount(rows.columns, self._column_effects(rows), matrix.width)
            counts += np.bincount(rows.columns, minlength=matrix.width)
        counts[UNKNOWN] = 0
        frequent = np.flatnonzero(counts > RARE * len(matrix))
        means, terms = total[frequent] / counts[frequent], self._checkpoint.vectorizer.vocabulary.terms
        return [
            TermEffect(terms[frequent[place] - 1], float(means[place]), int(counts[frequent[place]]))
            for place in np.argsort(-means, kind="stable")
        ]

    def _column_effects(self, rows: MultiHotMatrix) -> Floats:
        """The effect of each set column of n rows, as many."""
        row, values = np.repeat(np.arange(len(rows), dtype=np.int64), np.diff(rows.offsets)), self._values(rows.columns)
        squares = np.bincount(row, values**2, len(rows))
        scale, rest = self._scale(squares, squares), self._scale(squares[row] - values**2, squares[row])
        logits, without = [], []
        for member, matrix in zip(self._members, self._weights, strict=True):
            terms = values[:, None] * matrix[rows.columns]
            sums = np.stack([np.bincount(row, unit, len(rows)) for unit in terms.T], axis=1)
            logits.append(member.from_sums((sums * scale[:, None]).astype(np.float32)))
            without.append(member.from_sums(((sums[row] - terms) * rest[:, None]).astype(np.float32)))
        whole, left = (
            calibrated_array(np.mean(each, axis=0), self._checkpoint.temperature) for each in (logits, without)
        )
        return whole[row] - left


def _left(rows: Floats, numbers: npt.NDArray[np.int64], places: npt.NDArray[np.int64], n: int) -> Floats:
    """The sum of the rows without those that each of n changes takes away, (n, units)."""
    left = np.repeat(rows.sum(axis=0, keepdims=True), n, axis=0)
    np.subtract.at(left, numbers, rows[places])
    return left
