"""Raw texts to rows by finished features: what a checkpoint does with reviews that no corpus holds."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from imdbclf.data.arrow import strings
from imdbclf.data.corpus import numbered_words
from imdbclf.data.multihot import MultiHotMatrix, RowBlock, gathered, rows_at_once
from imdbclf.data.vectorize import Vectorizer

CHUNK = 2048
"""Texts encoded at a time, at most."""

THREADS = 2
"""Chunks encoded at once."""


def encode_texts(features: Vectorizer, texts: Sequence[str]) -> MultiHotMatrix:
    """The rows of n texts: of each what `Vectorizer.row_of` gives, many at once."""
    tables, width = features.vocabulary.tables, len(features)
    size = min(CHUNK, rows_at_once(width))

    def encoded(chunk: Sequence[str]) -> RowBlock:
        numbered = numbered_words(strings(chunk), sentence_ends=features.sentence_ends)
        return tables.over(numbered.dictionary).block(numbered.words, numbered.lengths, width)

    with ThreadPoolExecutor(THREADS) as pool:
        chunks = (texts[start : start + size] for start in range(0, len(texts), size))
        return gathered(pool.map(encoded, chunks), width).weighted(features.term_weights)
