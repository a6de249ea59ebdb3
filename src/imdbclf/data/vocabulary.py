"""The vocabulary: which words, and which runs of words (n-grams), have a column of the multi-hot tensor.

Column 0 stands for all words that have no column of their own; terms have columns 1, 2, 3 … in the order of their
selection (see `imdbclf.data.selection`). In the lecture the k-th most frequent word of the training part has column k.

How this relates to Keras: `imdb.load_data(num_words=10000)` has 10,000 columns too, but shifts ranks by 3
(`index_from`), so that 0 (padding) and 3 are never set, 1 (start of text) is always set, 2 stands for unknown words,
and only the 9,996 most frequent words have a column. Here one column is for unknown words and 9,999 are for words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imdbclf.data.multihot import UNKNOWN

if TYPE_CHECKING:
    # A vocabulary out of a checkpoint classifies a text without Arrow, which takes a tenth of a second to import.
    from imdbclf.data.term_lookup import TermLookup


@dataclass(frozen=True)
class Vocabulary:
    """Terms by column: `terms[k - 1]` has column k.

    A term is a word, or two or three words with blanks between them. Plain strings, so that a checkpoint can carry it.
    """

    terms: Sequence[str]

    def __len__(self) -> int:
        """Number of columns, the one for unknown words included."""
        return len(self.terms) + 1

    @classmethod
    def from_text(cls, text: str) -> Vocabulary:
        """The vocabulary that `as_text` wrote."""
        return cls(tuple(text.split("\n")) if text else ())

    def as_text(self) -> str:
        """The terms, one a line, which none of them holds; ten thousand texts would be far slower to save."""
        return "\n".join(self.terms)

    @cached_property
    def column(self) -> dict[str, int]:
        """The column of each term."""
        return {term: k for k, term in enumerate(self.terms, start=1)}

    @cached_property
    def order(self) -> int:
        """The number of words of the longest term; 1 if there is none."""
        return 1 + max((term.count(" ") for term in self.terms), default=0)

    @cached_property
    def lookup(self) -> TermLookup:
        """The rule of `columns_of` on numbered words, for many texts at once."""
        from imdbclf.data.term_lookup import TermLookup  # noqa: PLC0415 - see above

        return TermLookup.of(self.terms)

    def columns_of(self, words: Sequence[str]) -> npt.NDArray[np.int32]:
        """The columns that are set in the multi-hot row of a text of these words, ascending, int32; empty for none.

        A word without a column of its own sets that of unknown words; of longer runs of words only terms set one.
        """
        # Words are not made distinct first: a set of strings scatters them in memory, which costs more than it saves.
        columns = set(map(self.column.get, words, repeat(UNKNOWN)))
        for order in range(2, self.order + 1):
            terms = map(" ".join, zip(*(words[start:] for start in range(order)), strict=False))
            columns.update(filter(None, map(self.column.get, terms)))
        found = np.fromiter(columns, np.int32, len(columns))
        found.sort()
        return found

    def decode(self, columns: npt.NDArray[np.int32]) -> list[str]:
        """The terms of a multi-hot row, in the order of their columns; `?` stands for the unknown words."""
        return ["?" if k == UNKNOWN else self.terms[k - 1] for k in columns]
