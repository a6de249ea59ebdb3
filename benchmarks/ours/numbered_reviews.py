"""The reviews as Keras' `imdb.load_data` reads them: an .npz with lists of word numbers."""

from __future__ import annotations

import sys

import numpy as np

from imdbclf.data.prepare import load_reviews
from imdbclf.settings import DataSettings


def main(npz: str) -> None:
    """Write `x_train`, `y_train`, `x_test`, `y_test` for the reviews that IMDBCLF_DATA names."""
    prepared = load_reviews(DataSettings(), seed=0)
    corpus = prepared.loaded.corpus
    column = prepared.vectorizer.vocabulary.tables.over(corpus.dictionary).of_words
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
    main(*sys.argv[1:])
