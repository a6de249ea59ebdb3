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
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imdbclf.data.words import words_of

if TYPE_CHECKING:
    # A vocabulary out of a checkpoint classifies a text without Arrow, which takes a tenth of a second to import.
    import pyarrow as pa

    from imdbclf.data.encoding import Corpus, EncodedReviews

UNKNOWN = 0
"""The column of every word that is not in the vocabulary."""

BLOCK = 8192
"""Reviews counted at a time, which bounds the memory that counting takes."""


@dataclass(frozen=True)
class Vocabulary:
    """Words by column: `words[k - 1]` has column k. Plain strings, so that a checkpoint can carry it."""

    words: Sequence[str]

    def __len__(self) -> int:
        """Number of columns, the one for unknown words included."""
        return len(self.words) + 1

    @classmethod
    def from_text(cls, text: str) -> Vocabulary:
        """The vocabulary that `as_text` wrote."""
        return cls(tuple(text.split("\n")) if text else ())

    def as_text(self) -> str:
        """The words, one a line, which none of them holds; ten thousand texts would be far slower to save."""
        return "\n".join(self.words)

    @cached_property
    def column(self) -> dict[str, int]:
        """The column of each word."""
        return {word: k for k, word in enumerate(self.words, start=1)}

    def columns_of(self, text: str) -> npt.NDArray[np.int32]:
        """The columns that are 1 in a text's multi-hot row, ascending, int32; empty for a text without words."""
        columns = set(map(self.column.get, set(words_of(text)), repeat(UNKNOWN)))
        return np.array(sorted(columns), dtype=np.int32)

    def columns_of_words(self, words: pa.Array, blank: int = UNKNOWN) -> npt.NDArray[np.int32]:
        """The column of each word of an Arrow array, shape (words of the array,), int32; `blank` for the empty one."""
        import pyarrow.compute as pc  # noqa: PLC0415 - see above

        from imdbclf.data.arrow import to_arrow, to_numpy  # noqa: PLC0415

        beyond = to_arrow(np.array([len(self.words) + 1], dtype=np.int32))[0]
        places = pc.fill_null(pc.index_in(words, value_set=self._arrow_words), beyond)
        columns: npt.NDArray[np.int32] = self._columns_by_place(blank)[to_numpy(places)]
        return columns

    @cached_property
    def _arrow_words(self) -> pa.Array:
        from imdbclf.data.arrow import strings  # noqa: PLC0415 - see above

        return strings([*self.words, ""])

    def _columns_by_place(self, blank: int) -> npt.NDArray[np.int32]:
        """Columns of the words, of the empty string, of everything else."""
        return np.array([*range(1, len(self)), blank, UNKNOWN], dtype=np.int32)

    def decode(self, columns: npt.NDArray[np.int32]) -> list[str]:
        """The words of a multi-hot row, most frequent first; `?` stands for the unknown ones."""
        return ["?" if k == UNKNOWN else self.words[k - 1] for k in columns]


def word_counts(
    corpus: Corpus, reviews: EncodedReviews, rows: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.int64]:
    """How often each word of the dictionary occurs in the given rows (default: all), shape (words,), int64."""
    chosen = None if rows is None or len(rows) == len(reviews) else reviews.mask(rows)
    counts = np.zeros(len(corpus.dictionary), dtype=np.int64)
    for start in range(0, len(reviews), BLOCK):
        counts += np.bincount(reviews.words_between(start, start + BLOCK, chosen), minlength=len(counts))
    return counts


def learn_vocabulary(dictionary: pa.Array, counts: npt.NDArray[np.int64], size: int) -> Vocabulary:
    """The `size - 1` most frequent words that occur at all; fewer where there are not as many.

    Args:
        dictionary: the corpus' words in code-point order, which is what decides between equal counts.
        counts: occurrences of each in the training part.
        size: columns, the one for unknown words included.
    """
    from imdbclf.data.arrow import to_arrow  # noqa: PLC0415 - see above

    descending = np.arange(len(counts) - 1, -1, -1)
    order = descending[np.argsort(-counts[descending], kind="stable")][: size - 1]
    return Vocabulary(tuple(dictionary.take(to_arrow(order[counts[order] > 0])).to_pylist()))
