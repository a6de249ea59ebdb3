"""The vocabulary: which words have a column of the multi-hot tensor.

Column 0 stands for all unknown words; the k-th most frequent word of the training part has column k. Frequency counts
every occurrence, as Keras does; words of equal frequency stand in descending code-point order (`viewer`, `brilliant`:
1,195 times each), whatever the order of the source (Keras: whichever was seen first).

How this relates to Keras: `imdb.load_data(num_words=10000)` has 10,000 columns too, but shifts ranks by 3
(`index_from`), so that 0 (padding) and 3 are never set, 1 (start of text) is always set, 2 stands for unknown words,
and only the 9,996 most frequent words have a column. Here one column is for unknown words and 9,999 are for words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imdbclf.data.encoding import Corpus, EncodedReviews
from imdbclf.data.words import words_of

UNKNOWN = 0
"""The column of every word that is not in the vocabulary."""


@dataclass(frozen=True)
class Vocabulary:
    """Words by column: `words[k - 1]` has column k. Plain strings, so that a checkpoint can carry it."""

    words: Sequence[str]

    def __len__(self) -> int:
        """Number of columns, the one for unknown words included."""
        return len(self.words) + 1

    @cached_property
    def column(self) -> dict[str, int]:
        """The column of each word."""
        return {word: k for k, word in enumerate(self.words, start=1)}

    def columns_of(self, text: str) -> npt.NDArray[np.int32]:
        """The columns that are 1 in a text's multi-hot row, ascending, int32; empty for a text without words."""
        columns = {self.column.get(word, UNKNOWN) for word in words_of(text)}
        return np.array(sorted(columns), dtype=np.int32)

    def known_words(self, text: str) -> int:
        """How many different words of the text the vocabulary holds."""
        return sum(word in self.column for word in set(words_of(text)))

    def columns_of_dictionary(self, dictionary: pa.Array) -> npt.NDArray[np.int32]:
        """The column of each word of a corpus' dictionary, shape (words of the dictionary,), int32."""
        column = self.column
        return np.array([column.get(word, UNKNOWN) for word in dictionary.to_pylist()], dtype=np.int32)

    def decode(self, columns: npt.NDArray[np.int32]) -> list[str]:
        """The words of a multi-hot row, most frequent first; `?` stands for the unknown ones."""
        return ["?" if k == UNKNOWN else self.words[k - 1] for k in columns]


def word_counts(
    corpus: Corpus, reviews: EncodedReviews, rows: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.int64]:
    """How often each word of the dictionary occurs in the given rows (default: all), shape (words,), int64."""
    words = reviews.words
    if rows is not None and len(rows) < len(reviews):
        chosen = np.zeros(len(reviews), dtype=bool)
        chosen[rows] = True
        words = words[np.repeat(chosen, reviews.lengths)]
    return np.bincount(words, minlength=len(corpus.dictionary))


def learn_vocabulary(dictionary: pa.Array, counts: npt.NDArray[np.int64], size: int) -> Vocabulary:
    """The `size - 1` most frequent words that occur at all; fewer where there are not as many.

    Args:
        dictionary: the corpus' words in code-point order, which is what decides between equal counts.
        counts: occurrences of each in the training part.
        size: columns, the one for unknown words included.
    """
    descending = np.arange(len(counts) - 1, -1, -1)
    order = descending[np.argsort(-counts[descending], kind="stable")][: size - 1]
    return Vocabulary(tuple(dictionary.take(order[counts[order] > 0]).to_pylist()))
