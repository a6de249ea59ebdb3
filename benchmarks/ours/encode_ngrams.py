"""Training texts to rows of n-grams, once: the process' peak memory is that of one encoding."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.reviews import read_part
from imdbclf.data.corpus import encode_corpus
from imdbclf.data.selection import learn_vocabulary
from imdbclf.data.vectorize import Vectorizer
from imdbclf.settings import FeatureSettings


def main(data: str, result: str, longest: str, columns: str) -> None:
    """Time the whole way on texts in memory."""
    table = read_part(Path(data), "train")
    settings = FeatureSettings(order=int(longest), columns=int(columns))
    started = time.perf_counter()
    corpus = encode_corpus({"train": table})
    reviews = corpus.parts["train"]
    vocabulary = learn_vocabulary(corpus, reviews, settings)
    matrix = Vectorizer(vocabulary).encode(corpus, reviews)
    seconds = time.perf_counter() - started
    found = {"seconds": seconds, "ones": len(matrix.columns), "columns": matrix.width}
    Path(result).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
