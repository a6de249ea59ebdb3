"""Texts in memory to rows: the lecture's words, and n-grams."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from benchmarks.reviews import leave, read_part, run
from imdbclf.data.corpus import Corpus, encode_corpus
from imdbclf.data.multihot import UNKNOWN
from imdbclf.data.selection import learn_vocabulary, word_counts
from imdbclf.data.vectorize import Vectorizer
from imdbclf.settings import FeatureSettings


def words(data: str, result: str, texts: str, repeat: str) -> None:
    """Time training texts to vocabulary and multi-hot matrix."""
    table = read_part(data, "train").slice(0, int(texts))
    seconds = []
    for _ in range(int(repeat)):
        time_taken, corpus, vectorizer, matrix = _encoded(table, FeatureSettings())
        seconds.append(time_taken)
    terms, counts = vectorizer.vocabulary.terms, word_counts(corpus, corpus.parts["train"]).tolist()
    rarest, count = _as_often_as_the_last(corpus.dictionary.to_pylist(), counts, terms)
    leave(
        result,
        seconds=statistics.median(seconds),
        # scikit-learn has no column for unknown words.
        ones=int((matrix.columns != UNKNOWN).sum()),
        words=sorted(terms),
        rarest=rarest,
        rarest_count=count,
    )


def ngrams(data: str, result: str, longest: str, columns: str) -> None:
    """The same with n-grams, once: the peak memory is that of one encoding."""
    settings = FeatureSettings(order=int(longest), columns=int(columns))
    seconds, _, _, matrix = _encoded(read_part(data, "train"), settings)
    leave(result, seconds=seconds, ones=len(matrix.columns), columns=matrix.width)


def _encoded(table: pa.Table, settings: FeatureSettings) -> tuple[float, Corpus, Vectorizer, Any]:
    started = time.perf_counter()
    corpus = encode_corpus({"train": table})
    reviews = corpus.parts["train"]
    vectorizer = Vectorizer(learn_vocabulary(corpus, reviews, settings))
    matrix = vectorizer.encode(corpus, reviews)
    return time.perf_counter() - started, corpus, vectorizer, matrix


def _as_often_as_the_last(dictionary: list[str], counts: list[int], terms: Sequence[str]) -> tuple[list[str], int]:
    """All words that occur as often as the vocabulary's last (it has some of them), and how often."""
    last = counts[dictionary.index(terms[-1])]
    return [word for word, count in zip(dictionary, counts, strict=True) if count == last], last


if __name__ == "__main__":
    run(words, ngrams)
