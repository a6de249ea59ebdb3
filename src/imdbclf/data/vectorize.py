"""What the columns of the multi-hot tensor stand for and hold: learnt once, kept in checkpoints, good for any text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imdbclf.data.term_weights import TermWeights
from imdbclf.data.vocabulary import Vocabulary

if TYPE_CHECKING:
    # Features out of a checkpoint classify a text without Arrow, which takes a tenth of a second to import.
    from pathlib import Path

    from imdbclf.data.corpus import Corpus, EncodedReviews
    from imdbclf.data.multihot import MultiHotMatrix


@dataclass(frozen=True)
class Vectorizer:
    """The terms that have columns, their weights (None for ones), and whether sentences' ends are words.

    Reviews of a corpus are encoded as their words are numbered in it: with sentence_ends or without.
    """

    vocabulary: Vocabulary
    term_weights: TermWeights | None = None
    sentence_ends: bool = False

    def __len__(self) -> int:
        """Number of columns."""
        return len(self.vocabulary)

    def row_of(self, text: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32] | None]:
        """The set columns of a text's row, ascending, and their values, float32; None for ones."""
        columns = self.vocabulary.columns_of(text, sentence_ends=self.sentence_ends)
        offsets = np.array([0, len(columns)], dtype=np.int64)
        return columns, None if self.term_weights is None else self.term_weights.values(offsets, columns)

    def encode(
        self,
        corpus: Corpus,
        reviews: EncodedReviews,
        rows: npt.NDArray[np.int64] | None = None,
        disk: Path | None = None,
    ) -> MultiHotMatrix:
        """The rows of reviews of a corpus; see `imdbclf.data.multihot.encode_reviews`."""
        from imdbclf.data.multihot import encode_reviews  # noqa: PLC0415 - see above

        terms = self.vocabulary.tables.over(corpus.dictionary)
        return encode_reviews(reviews, terms, len(self), rows, disk).weighted(self.term_weights)
