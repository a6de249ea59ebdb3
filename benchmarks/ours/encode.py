"""Training texts to vocabulary and multi-hot matrix."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reviews import read_part
from imdbclf.data.corpus import encode_corpus
from imdbclf.data.selection import learn_vocabulary, word_counts
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import UNKNOWN
from imdbclf.settings import FeatureSettings

SETTINGS = FeatureSettings()


def main(data: str, result: str, texts: str, repeat: str) -> None:
    """Time the whole way on texts in memory."""
    table = read_part(Path(data), "train").slice(0, int(texts))
    seconds = []
    for _ in range(int(repeat)):
        started = time.perf_counter()
        corpus = encode_corpus({"train": table})
        reviews = corpus.parts["train"]
        vocabulary = learn_vocabulary(corpus, reviews, SETTINGS)
        matrix = Vectorizer(vocabulary).encode(corpus, reviews)
        seconds.append(time.perf_counter() - started)
    rarest, count = _as_often_as_the_last(
        corpus.dictionary.to_pylist(), word_counts(corpus, reviews).tolist(), vocabulary.terms
    )
    found = {
        "seconds": statistics.median(seconds),
        # scikit-learn has no column for unknown words.
        "ones": int((matrix.columns != UNKNOWN).sum()),
        "words": sorted(vocabulary.terms),
        "rarest": rarest,
        "rarest_count": count,
    }
    Path(result).write_text(json.dumps(found), encoding="utf-8")


def _as_often_as_the_last(dictionary: list[str], counts: list[int], words: Sequence[str]) -> tuple[list[str], int]:
    """All words of the corpus that occur as often as the vocabulary's last (it holds any of them), and how often."""
    last = counts[dictionary.index(words[-1])]
    return [word for word, count in zip(dictionary, counts, strict=True) if count == last], last


if __name__ == "__main__":
    main(*sys.argv[1:])
