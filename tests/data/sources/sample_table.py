"""How the table of the bundled sample was made, and is made again: `write_table(make_table(reviews), TABLE)`.

Only the training split is counted, so that a network that is trained on the sample has not seen the real test reviews.
The table holds counts of single words and no text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from imdbclf.data.tokenize import tokenize

TABLE_WORDS: Final = 20_000
"""Twice the vocabulary of the lecture, so that drawn reviews contain unknown words. The rarest words occur in nine of
the 25,000 real reviews."""


def document_frequencies(reviews: Iterable[tuple[str, int]]) -> tuple[Counter[str], Counter[str]]:
    """The number of negative and of positive reviews that contain each word."""
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for text, label in reviews:
        counts[label].update(set(tokenize(text)))
    return counts


def most_frequent(negative: Counter[str], positive: Counter[str]) -> list[str]:
    """The words of the table in alphabetical order, which compresses best.

    Words with control characters are left out; they come from wrong encodings.
    """
    total = negative + positive
    printable = (word for word in total if word.isprintable())
    return sorted(sorted(printable, key=lambda word: (-total[word], word))[:TABLE_WORDS])


def make_table(reviews: list[tuple[str, int]]) -> pa.Table:
    """Count pairs of text and label (0 negative, 1 positive); both classes must have the same size."""
    positives = sum(label for _, label in reviews)
    if 2 * positives != len(reviews):
        raise ValueError(f"classes differ: {positives} of {len(reviews)} reviews are positive")
    negative, positive = document_frequencies(reviews)
    words = most_frequent(negative, positive)
    columns = {
        "word": pa.array(words, pa.string()),
        "negative": pa.array([negative[word] for word in words], pa.uint16()),
        "positive": pa.array([positive[word] for word in words], pa.uint16()),
    }
    return pa.table(columns).replace_schema_metadata({"reviews_per_class": str(positives)})


def write_table(table: pa.Table, path: Path) -> None:
    """Write the table in a small file: consecutive words have the same first letters."""
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=False,
        column_encoding={"word": "DELTA_BYTE_ARRAY", "negative": "PLAIN", "positive": "PLAIN"},
        write_statistics=False,
    )
