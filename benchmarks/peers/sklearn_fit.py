"""The model that `sklearn_predict` classifies with, fitted once and kept: bag of words and logistic regression."""

from __future__ import annotations

import sys
from pathlib import Path

import joblib
from sklearn.linear_model import LogisticRegression

from benchmarks.peers.count_vectorizer import vectorizer
from benchmarks.reviews import read_part


def main(data: str, model: str, texts: str) -> None:
    """Fit on so many training reviews of both labels and write both parts."""
    train = read_part(Path(data), "train")
    train = train.take(list(range(0, len(train), max(len(train) // int(texts), 1))))
    words = vectorizer()
    matrix = words.fit_transform(train["text"].to_pylist())
    matrix.data.fill(1)
    # From here on known words are only looked up, so `binary` no longer decides which ones they are.
    words.binary = True
    joblib.dump((words, LogisticRegression(max_iter=1000).fit(matrix, train["label"].to_numpy())), model)


if __name__ == "__main__":
    main(*sys.argv[1:])
