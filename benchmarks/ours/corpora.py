"""The reviews in other forms: a corpus of any size, in the cache, and as Keras' `imdb.load_data` reads them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.reviews import leave, read_part, run
from imdbclf.data.load_corpus import load_corpus
from imdbclf.data.prepare import load_reviews
from imdbclf.settings import DataSettings, SourceSettings

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


def larger(data: str, file: str, size: str) -> None:
    """Write a Parquet file of `size` reviews: the training part, repeated, and perturbed from the second copy on."""
    reviews = read_part(data, "train")
    # They are sorted by label, and a small corpus needs both.
    reviews = reviews.take(np.random.default_rng(0).permutation(len(reviews)))
    schema = pa.schema({"text": pa.string(), "label": pa.int8()})
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for block in blocks(reviews["text"].to_pylist(), reviews["label"].to_pylist(), int(size)):
            writer.write_table(block)


def cached(file: str, result: str) -> None:
    """Time a file of reviews into the cache: read, number the words, write."""
    started = time.perf_counter()
    loaded = load_corpus(SourceSettings(source="files", train=file))
    seconds = time.perf_counter() - started
    leave(result, encode_seconds=seconds, dictionary=len(loaded.corpus.dictionary))


def numbered(npz: str) -> None:
    """Write `x_train`, `y_train`, `x_test`, `y_test` for the reviews that IMDBCLF_DATA names."""
    prepared = load_reviews(DataSettings(), seed=0)
    corpus = prepared.loaded.corpus
    column = prepared.vectorizer.vocabulary.lookup.over(corpus.dictionary).of_words
    arrays: dict[str, np.ndarray] = {}
    for part in ("train", "test"):
        reviews = corpus.parts[part]
        columns, offsets = column[reviews.words], reviews.offsets
        lists = np.empty(len(reviews), dtype=object)
        for row in range(len(reviews)):
            lists[row] = columns[offsets[row] : offsets[row + 1]].tolist()
        arrays[f"x_{part}"], arrays[f"y_{part}"] = lists, reviews.labels.astype(np.int64)
    np.savez(npz, allow_pickle=True, **arrays)


if __name__ == "__main__":
    run(larger, cached, numbered)
