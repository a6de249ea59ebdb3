"""Texts and numbered reviews to rows of the multi-hot matrix: tokenize, look up, take together, weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imdbclf.data.multihot import MultiHotMatrix, RowBlock, gathered, row_blocks, temporary_file
from imdbclf.data.term_weights import TermWeights
from imdbclf.data.tokenize import tokenize
from imdbclf.data.vocabulary import Vocabulary

if TYPE_CHECKING:
    # One text is classified without Arrow, which takes a tenth of a second to import.
    from pathlib import Path

    from imdbclf.data.corpus import Corpus, EncodedReviews

THREADS = 2
"""Blocks of rows made at once; sorting leaves Python alone, the little around it does not."""


@dataclass(frozen=True)
class Vectorizer:
    """The terms that have columns, their weights, and whether the ends of sentences are words.

    A text has the same columns and values by `row_of`, by `rows_of` and, as a review of a corpus, by `encode`. The
    first looks up strings, the others numbers. Reviews of a corpus are encoded as their words are numbered in it: with
    the ends of sentences or without.
    """

    vocabulary: Vocabulary
    term_weights: TermWeights = field(default_factory=TermWeights)
    sentence_ends: bool = False

    def __len__(self) -> int:
        """Number of columns."""
        return len(self.vocabulary)

    def row_of(self, text: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32] | None]:
        """The set columns of a text's row, ascending, int32 (k,), and their values, float32 (k,); None for ones."""
        columns = self.vocabulary.columns_of(tokenize(text, sentence_ends=self.sentence_ends))
        return columns, self.term_weights(np.array([0, len(columns)], dtype=np.int64), columns)

    def rows_of(self, texts: Sequence[str]) -> MultiHotMatrix:
        """The rows of n texts, many at once."""
        from imdbclf.data.arrow import strings  # noqa: PLC0415 - see the top
        from imdbclf.data.corpus import numbered_words  # noqa: PLC0415

        def rows(start: int, stop: int) -> RowBlock:
            numbered = numbered_words(strings(texts[start:stop]), sentence_ends=self.sentence_ends)
            return self.vocabulary.lookup.over(numbered.dictionary).block(numbered.words, numbered.lengths)

        return self._matrix(rows, len(texts))

    def encode(
        self,
        corpus: Corpus,
        reviews: EncodedReviews,
        rows: npt.NDArray[np.int64] | None = None,
        disk: Path | None = None,
    ) -> MultiHotMatrix:
        """The matrix of the reviews of a corpus whose numbers are `rows`, ascending; None for all.

        A matrix beyond `imdbclf.data.multihot.IN_MEMORY` may lie in the folder `disk`, in a file that is deleted with
        the matrix; None keeps any matrix in memory.
        """
        terms = self.vocabulary.lookup.over(corpus.dictionary)
        chosen = None if rows is None else reviews.mask(rows)
        lengths = reviews.lengths

        def encoded(start: int, stop: int) -> RowBlock:
            words = reviews.words_between(start, stop, chosen)
            kept = lengths[start:stop] if chosen is None else lengths[start:stop][chosen[start:stop]]
            return terms.block(words, kept)

        # A row has a column for each of its words at most, and for each run of words that is a term.
        most = int((lengths if chosen is None else lengths[chosen]).sum()) * self.vocabulary.order
        return self._matrix(encoded, len(reviews), temporary_file(disk, most * np.dtype(np.int32).itemsize))

    def _matrix(self, rows: Callable[[int, int], RowBlock], n: int, file: IO[bytes] | None = None) -> MultiHotMatrix:
        """The matrix of n rows, given what makes those from one number up to another."""
        blocks = list(row_blocks(n, len(self)))
        if len(blocks) == 1:
            return gathered([rows(0, n)], len(self), file).weighted(self.term_weights)
        with ThreadPoolExecutor(THREADS) as pool:
            # A few at a time, so that what is done does not pile up in front of a slow disk.
            groups = (blocks[start : start + 4 * THREADS] for start in range(0, len(blocks), 4 * THREADS))
            made = (block for group in groups for block in pool.map(lambda ends: rows(*ends), group))
            return gathered(made, len(self), file).weighted(self.term_weights)
