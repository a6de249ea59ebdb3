"""Training texts to vocabulary and multi-hot matrix by scikit-learn."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from benchmarks.peers.count_vectorizer import vectorizer
from benchmarks.reviews import read_part


def main(data: str, result: str, texts: str, repeat: str) -> None:
    """Time `fit_transform` on texts in memory."""
    reviews = read_part(Path(data), "train")["text"].to_pylist()[: int(texts)]
    seconds = []
    for _ in range(int(repeat)):
        started = time.perf_counter()
        words = vectorizer()
        matrix = words.fit_transform(reviews)
        matrix.data.fill(1)
        seconds.append(time.perf_counter() - started)
    found = {"seconds": statistics.median(seconds), "ones": int(matrix.nnz), "words": sorted(words.vocabulary_)}
    Path(result).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
