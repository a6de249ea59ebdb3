"""`Vocabulary.columns_of` for many texts at once, by numbers instead of strings.

For one text strings are faster: a lookup by numbers has to be prepared, and Arrow imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.data.arrow import NOWHERE, places_among, strings, to_arrow, to_numpy
from imdbclf.data.multihot import UNKNOWN, RowBlock, distinct_pairs
from imdbclf.data.ngrams import (
    LONGEST,
    MOST_WORDS,
    WORD_BITS,
    Keys,
    last_words,
    longer_by_one,
    orders_of_keys,
    parts_of_keys,
    single_words,
)
from imdbclf.errors import UserError

NO_COLUMN = -1
"""What stands for a run of words that is only part of a term."""


@dataclass(frozen=True)
class TermLookup:
    """The terms of a vocabulary as numbers.

    `words` are the different words of all terms, numbered from 1; `word_columns` (words + 1,) has the column of each
    number, that of unknown words where a word is no term itself. `longer` has, for each order from 2, the keys of the
    n-grams that are terms or part of one, ascending, and their columns. `width` is the number of columns.
    """

    words: pa.Array
    word_columns: npt.NDArray[np.int32]
    longer: list[tuple[Keys, npt.NDArray[np.int32]]]
    width: int

    @classmethod
    def of(cls, terms: Sequence[str]) -> TermLookup:
        """The lookup of terms, the first of which has column 1.

        Raises:
            UserError: if n-grams have more different words than their keys can tell apart.
        """
        lists = pc.split_pattern(strings(terms), " ")
        encoded = lists.values.dictionary_encode()
        lengths = np.diff(to_numpy(lists.offsets))
        if len(encoded.dictionary) > MOST_WORDS and lengths.max() > 1:
            msg = f"n-grams of {len(encoded.dictionary):,} different words: at most {MOST_WORDS:,} can be told apart"
            raise UserError(msg)
        keys = _keys(to_numpy(encoded.indices).astype(np.int64) + 1, lengths)
        return cls(encoded.dictionary, *_tables(keys, len(encoded.dictionary)), len(terms) + 1)

    def over(self, dictionary: pa.Array) -> TermColumns:
        """What finds the terms of reviews whose words are numbered by the given dictionary."""
        return TermColumns(self, places_among(dictionary, self.words).astype(np.int64) + 1)


def _keys(numbers: npt.NDArray[np.int64], lengths: npt.NDArray[np.int32]) -> Keys:
    """The keys of terms, given the numbers of the words of all and how many each has."""
    keys = np.zeros(len(lengths), dtype=np.int64)
    begins = np.cumsum(lengths, dtype=np.int64) - lengths
    for place in range(min(int(lengths.max(initial=0)), LONGEST)):
        long = lengths > place
        keys[long] = keys[long] << WORD_BITS | numbers[begins[long] + place]
    return keys


def _tables(keys: Keys, words: int) -> tuple[npt.NDArray[np.int32], list[tuple[Keys, npt.NDArray[np.int32]]]]:
    orders = orders_of_keys(keys)
    columns = np.arange(1, len(keys) + 1, dtype=np.int32)
    word_columns = np.full(words + 1, UNKNOWN, dtype=np.int32)
    word_columns[keys[orders == 1]] = columns[orders == 1]
    longer, parts = [], np.zeros(0, dtype=np.int64)
    for order in range(int(orders.max(initial=1)), 1, -1):
        only_parts = np.setdiff1d(parts, keys[orders == order])
        wanted = np.concatenate([keys[orders == order], only_parts])
        found = np.concatenate([columns[orders == order], np.full(len(only_parts), NO_COLUMN, dtype=np.int32)])
        ascending = np.argsort(wanted)
        longer.append((wanted[ascending], found[ascending]))
        parts = np.unique(parts_of_keys(wanted))
    return word_columns, longer[::-1]


def _places(keys: Keys, wanted: Keys) -> npt.NDArray[np.integer[Any]]:
    """Where each key is among those that are wanted, ascending; `NOWHERE` for one that is not there."""
    if len(keys) * 4 > len(wanted):
        return places_among(to_arrow(keys), to_arrow(wanted))
    # Arrow hashes all that is wanted at each call, which takes longer than to search it a few times.
    places = np.searchsorted(wanted[:-1], keys)
    return np.where(wanted[places] == keys, places, NOWHERE)


@dataclass(frozen=True)
class TermColumns:
    """Finds the terms of texts; `number` (dictionary,) is what the lookup calls each word of a dictionary, or 0."""

    lookup: TermLookup
    number: npt.NDArray[np.int64]

    @cached_property
    def of_words(self) -> npt.NDArray[np.int32]:
        """The column of each word of the dictionary, (dictionary,); that of unknown words where it has none."""
        return self.lookup.word_columns[self.number]

    def block(self, words: npt.NDArray[np.int32], lengths: npt.NDArray[np.int64]) -> RowBlock:
        """The rows of n texts: their words, numbered by the dictionary, (N,), and how many each text has, (n,)."""
        rows = np.repeat(np.arange(len(lengths), dtype=np.uint32), lengths)
        if not self.lookup.longer:
            return distinct_pairs(rows, self.of_words[words], len(lengths), self.lookup.width)
        numbers = self.number[words]
        found: list[tuple[npt.NDArray[Any], npt.NDArray[np.int32]]] = [(rows, self.lookup.word_columns[numbers])]
        runs, last = single_words(numbers), last_words(lengths)
        for wanted, columns in self.lookup.longer:
            runs = longer_by_one(runs, numbers, last)
            places = _places(runs.keys, wanted)
            known = places != NOWHERE
            runs, column = runs.chosen(known), columns[places[known]]
            terms = column != NO_COLUMN
            found.append((rows[runs.begins[terms]], column[terms]))
        every_row, every_column = (np.concatenate(pieces) for pieces in zip(*found, strict=True))
        return distinct_pairs(every_row, every_column, len(lengths), self.lookup.width)
