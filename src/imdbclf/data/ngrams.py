"""N-grams, runs of one to three words, as numbers: found in many reviews at once, without a string being made.

Words are numbered from 1; the key of an n-gram has 21 bits for each of its words, so that keys of different orders
never meet. A run can only be of interest where both runs that are shorter by a word are; this is what keeps the
search for pairs and triples cheap, in learning (a triple is in as many reviews as its pairs at most) and in encoding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WORD_BITS = 21
MOST_WORDS = (1 << WORD_BITS) - 1
"""Different words that can be told apart in n-grams."""

LONGEST = 3
"""The highest order: so many words fit a key of 63 bits."""

Keys = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Runs:
    """The n-grams of one order that are of interest, where they stand in some reviews.

    `begins` (k,) are the places of their first words among all words, ascending; `keys` (k,) say which they are.
    """

    order: int
    begins: npt.NDArray[np.int64]
    keys: Keys

    def chosen(self, mask: npt.NDArray[np.bool_]) -> Runs:
        """Those where the mask (k,) is true."""
        return Runs(self.order, self.begins[mask], self.keys[mask])


def single_words(numbers: npt.NDArray[np.int64]) -> Runs:
    """The n-grams of order 1: the words whose number (N,) is not 0."""
    begins = np.flatnonzero(numbers)
    return Runs(1, begins, numbers[begins])


def longer_by_one(runs: Runs, numbers: npt.NDArray[np.int64], last: npt.NDArray[np.bool_]) -> Runs:
    """The n-grams of the next order of which both the beginning and the end are among `runs`.

    Args:
        runs: n-grams of an order.
        numbers: (N,) the numbers of the reviews' words.
        last: (N,) true for the last word of each review, behind which no n-gram goes on.
    """
    # Where the next run begins one word later, both overlap in all words but two.
    follows = (np.diff(runs.begins) == 1) & ~last[runs.begins[:-1] + runs.order - 1]
    begins = runs.begins[:-1][follows]
    return Runs(runs.order + 1, begins, runs.keys[:-1][follows] << WORD_BITS | numbers[begins + runs.order])


def last_words(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """True for the last word of each review, given the number of words of each, (n,)."""
    last = np.zeros(int(lengths.sum()), dtype=bool)
    last[np.cumsum(lengths)[lengths > 0] - 1] = True
    return last


def key_of(numbers: tuple[int, ...]) -> int:
    """The key of the n-gram of the words with these numbers."""
    key = 0
    for number in numbers:
        key = key << WORD_BITS | number
    return key


def words_of_keys(keys: Keys) -> npt.NDArray[np.int64]:
    """The numbers of the words of each n-gram, (k, 3), zeros in front of those that have fewer."""
    shifts = np.arange(LONGEST - 1, -1, -1, dtype=np.int64) * WORD_BITS
    numbers: npt.NDArray[np.int64] = keys[:, None] >> shifts & MOST_WORDS
    return numbers


def orders_of_keys(keys: Keys) -> npt.NDArray[np.int64]:
    """The number of words of each n-gram, (k,)."""
    orders: npt.NDArray[np.int64] = np.count_nonzero(words_of_keys(keys), axis=1)
    return orders


def parts_of_keys(keys: Keys) -> Keys:
    """The two n-grams, shorter by a word, with which each of the given ones begins and ends; none of single words."""
    orders = orders_of_keys(keys)
    longer, orders = keys[orders > 1], orders[orders > 1]
    ends: Keys = longer & ((np.int64(1) << ((orders - 1) * WORD_BITS)) - 1)
    return np.concatenate([longer >> WORD_BITS, ends])
