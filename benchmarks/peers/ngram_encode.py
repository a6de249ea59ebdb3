"""Training texts to rows of n-grams by scikit-learn, once: the process' peak memory is that of one encoding."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.reviews import read_part


def main(data: str, result: str, longest: str) -> None:
    """Time `fit_transform` on texts in memory."""
    texts = read_part(Path(data), "train")["text"].to_pylist()
    started = time.perf_counter()
    matrix = CountVectorizer(ngram_range=(1, int(longest)), binary=True).fit_transform(texts)
    found = {"seconds": time.perf_counter() - started, "ones": int(matrix.nnz), "columns": int(matrix.shape[1])}
    Path(result).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
