"""A corpus of any size: the real training reviews, repeated, and perturbed from the second copy on."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.reviews import read_part

REPLACED = 0.1
"""Fraction of a review's words that are replaced."""

BLOCK = 5_000
"""Reviews written at a time, so that memory does not grow with the corpus."""


def perturbed(text: str, pool: list[str], random: np.random.Generator) -> str:
    """The text with a tenth of its words replaced by words of the pool."""
    words = text.split(" ")
    count = round(len(words) * REPLACED)
    for place, choice in zip(
        random.integers(len(words), size=count).tolist(), random.integers(len(pool), size=count).tolist(), strict=True
    ):
        words[place] = pool[choice]
    return " ".join(words)


def blocks(texts: list[str], labels: list[int], size: int) -> Iterator[pa.Table]:
    """Tables of `BLOCK` reviews, `size` in all; the first copy is the reviews themselves."""
    # Every word as often as it occurs, so that draws follow the frequencies.
    pool = " ".join(texts).split(" ") if size > len(texts) else []
    random = np.random.default_rng(0)
    for start in range(0, size, BLOCK):
        rows = range(start, min(start + BLOCK, size))
        found = [texts[row] if row < len(texts) else perturbed(texts[row % len(texts)], pool, random) for row in rows]
        yield pa.table({"text": found, "label": pa.array([labels[row % len(texts)] for row in rows], pa.int8())})


def main(data: str, file: str, size: str) -> None:
    """Write a Parquet file of `size` reviews."""
    reviews = read_part(data, "train")
    # They are sorted by label, and a small corpus needs both.
    reviews = reviews.take(np.random.default_rng(0).permutation(len(reviews)))
    schema = pa.schema({"text": pa.string(), "label": pa.int8()})
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for block in blocks(reviews["text"].to_pylist(), reviews["label"].to_pylist(), int(size)):
            writer.write_table(block)


if __name__ == "__main__":
    main(*sys.argv[1:])
