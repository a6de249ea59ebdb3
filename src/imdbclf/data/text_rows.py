"""Raw texts to multi-hot rows by a finished vocabulary: what a checkpoint does with reviews that no corpus holds."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from imdbclf.data.arrow import strings, to_numpy
from imdbclf.data.multihot import MultiHotMatrix, RowBlock, distinct_columns, gathered
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.data.word_lists import split_words

CHUNK = 2048
"""Texts encoded at a time."""

THREADS = 2
"""Chunks encoded at once."""


def encode_texts(vocabulary: Vocabulary, texts: Sequence[str]) -> MultiHotMatrix:
    """The multi-hot rows of n texts: of each what `Vocabulary.columns_of` gives, many at once."""
    with ThreadPoolExecutor(THREADS) as pool:
        chunks = (texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK))
        return gathered(pool.map(lambda chunk: _encode_chunk(vocabulary, chunk), chunks), len(vocabulary))


def _encode_chunk(vocabulary: Vocabulary, texts: Sequence[str]) -> RowBlock:
    lists = split_words(strings(texts))
    # The empty string is no word: a column of its own behind all others makes it easy to leave out.
    blank = len(vocabulary)
    columns = vocabulary.columns_of_words(lists.values, blank)
    lengths, distinct = distinct_columns(np.diff(to_numpy(lists.offsets)), columns, blank + 1)
    kept = distinct != blank
    ends = np.cumsum(lengths)
    before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(kept)])
    return np.diff(before[ends], prepend=0), distinct[kept]
