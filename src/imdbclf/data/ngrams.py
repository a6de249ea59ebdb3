"""N-grams of one to three words as numbers, found in many reviews at once without making strings.

Words are numbered from 1. The key of an n-gram has 21 bits per word, so keys of different orders are different. An
n-gram is searched only where both n-grams that are shorter by one word were found. This keeps pairs and triples cheap,
in learning (a triple is in no more reviews than its pairs) and in encoding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WORD_BITS = 21
MOST_WORDS = (1 << WORD_BITS) - 1
"""Largest number of different words in n-grams."""

LONGEST = 3
"""The highest order: three words fit into a key of 63 bits."""

Keys = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Runs:
    """Occurrences of n-grams of one order in some reviews.

    `begins` (k,) are the places of their first words among all words, ascending; `keys` (k,) are their keys.
    """

    order: int
    begins: npt.NDArray[np.int64]
    keys: Keys

    def chosen(self, mask: npt.NDArray[np.bool_]) -> Runs:
        """The occurrences where the mask (k,) is true."""
        return Runs(self.order, self.begins[mask], self.keys[mask])


def single_words(numbers: npt.NDArray[np.int64]) -> Runs:
    """The n-grams of order 1: the words whose number (N,) is not 0."""
    begins = np.flatnonzero(numbers)
    return Runs(1, begins, numbers[begins])


def longer_by_one(runs: Runs, numbers: npt.NDArray[np.int64], last: npt.NDArray[np.bool_]) -> Runs:
    """The n-grams of the next order whose first and last part are both among `runs`.

    `numbers` (N,) are those of the reviews' words. `last` (N,) is true for the last word of each review; an n-gram does
    not cross it.
    """
    # If the next n-gram begins one word later, both together form a longer one.
    follows = (np.diff(runs.begins) == 1) & ~last[runs.begins[:-1] + runs.order - 1]
    begins = runs.begins[:-1][follows]
    return Runs(runs.order + 1, begins, runs.keys[:-1][follows] << WORD_BITS | numbers[begins + runs.order])


def last_words(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """True for the last word of each review, given the number of words of each, (n,)."""
    last = np.zeros(int(lengths.sum()), dtype=bool)
    last[np.cumsum(lengths)[lengths > 0] - 1] = True
    return last


def words_of_keys(keys: Keys) -> npt.NDArray[np.int64]:
    """The numbers of the words of each n-gram, (k, 3), with zeros in front of shorter ones."""
    shifts = np.arange(LONGEST - 1, -1, -1, dtype=np.int64) * WORD_BITS
    numbers: npt.NDArray[np.int64] = keys[:, None] >> shifts & MOST_WORDS
    return numbers


def orders_of_keys(keys: Keys) -> npt.NDArray[np.int64]:
    """The number of words of each n-gram, (k,)."""
    orders: npt.NDArray[np.int64] = np.count_nonzero(words_of_keys(keys), axis=1)
    return orders


def parts_of_keys(keys: Keys) -> Keys:
    """The two n-grams, shorter by one word, at the start and at the end of each given one; none for single words."""
    orders = orders_of_keys(keys)
    longer, orders = keys[orders > 1], orders[orders > 1]
    ends: Keys = longer & ((np.int64(1) << ((orders - 1) * WORD_BITS)) - 1)
    return np.concatenate([longer >> WORD_BITS, ends])
