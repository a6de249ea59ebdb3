"""The lecture's bag of words in scikit-learn: texts to rows, and texts to probabilities by logistic regression."""

from __future__ import annotations

import re
import statistics
import time

import joblib
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.reviews import leave, read_part, run, time_predictions

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n '

COLUMNS = 9_999
"""Columns for words; scikit-learn has none for unknown ones."""


def vectorizer() -> CountVectorizer:
    """A vectorizer for the most frequent words, with Keras' rule of what a word is.

    Not `binary=True`: it would choose words by the number of reviews they are in rather than by how often they occur,
    and so other words. Setting the counts to one afterwards takes milliseconds.
    """
    return CountVectorizer(token_pattern=f"[^{re.escape(_FILTERS)}]+", max_features=COLUMNS)


def encode(data: str, result: str, texts: str, repeat: str) -> None:
    """Time training texts in memory to vocabulary and multi-hot matrix."""
    reviews = read_part(data, "train")["text"].to_pylist()[: int(texts)]
    seconds = []
    for _ in range(int(repeat)):
        words, started = vectorizer(), time.perf_counter()
        matrix = words.fit_transform(reviews)
        matrix.data.fill(1)
        seconds.append(time.perf_counter() - started)
    leave(result, seconds=statistics.median(seconds), ones=int(matrix.nnz), words=sorted(words.vocabulary_))


def fit(data: str, model: str, texts: str) -> None:
    """Fit bag of words and logistic regression on training reviews of both labels, and write both."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - encoding does without

    train = read_part(data, "train")
    train = train.take(list(range(0, len(train), max(len(train) // int(texts), 1))))
    words = vectorizer()
    matrix = words.fit_transform(train["text"].to_pylist())
    matrix.data.fill(1)
    # From here on known words are only looked up, so `binary` no longer decides which ones they are.
    words.binary = True
    joblib.dump((words, LogisticRegression(max_iter=1000).fit(matrix, train["label"].to_numpy())), model)


def predict(data: str, model: str, result: str, *counts: str) -> None:
    """Time raw texts to probabilities with the fitted model in memory."""
    words, regression = joblib.load(model)

    def classify(texts: list[str]) -> object:
        return regression.predict_proba(words.transform(texts))

    many, one, repeat = counts
    time_predictions(data, result, (many, one, repeat), classify, lambda text: classify([text]))


def rate(data: str, model: str, result: str, step: str) -> None:
    """Raw test texts to probabilities, texts for each second of processor time."""
    words, regression = joblib.load(model)
    texts = read_part(data, "test")["text"].to_pylist()[:: int(step)]
    started = time.process_time()
    regression.predict_proba(words.transform(texts))
    leave(result, rate=len(texts) / (time.process_time() - started))


if __name__ == "__main__":
    run(encode, fit, predict, rate)
