"""fastText on the same reviews: on word numbers with a clock beside the lecture's fit, and from raw texts."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from pathlib import Path

import fasttext
import numpy as np

from benchmarks.reviews import both_parts, leave, run, seconds_of, spaced

VALIDATION = 10_000


def fit(npz: str, result: str, epochs: str) -> None:
    """Time 16 dimensions, single words and every core, reading the file included, which can't be separated."""
    with np.load(npz, allow_pickle=True) as file:
        train, train_labels = file["x_train"], file["y_train"]
        test, test_labels = file["x_test"], file["y_test"]
    order = np.random.RandomState(113).permutation(len(train))[VALIDATION:]
    _write("train.txt", (" ".join(map(str, each)) for each in train[order]), train_labels[order])
    _write("test.txt", (" ".join(map(str, each)) for each in test), test_labels)
    models = []
    options = {"dim": 16, "epoch": int(epochs), "thread": len(os.sched_getaffinity(0)), "verbose": 0}
    seconds = seconds_of(lambda: models.append(fasttext.train_supervised("train.txt", **options)))
    leave(result, fit_seconds=seconds, test_accuracy=models[0].test("test.txt")[1])


def texts(data: str, result: str, longest: str, seed: str) -> None:
    """Raw texts to test accuracy at fastText's defaults, with n-grams of up to `longest` words.

    Texts are prepared as in fastText's own script of its paper's results: lower case, punctuation as words of its own,
    training texts shuffled. One thread: several give other results each time, while one is decided by the seed.
    """
    (train, labels), test = both_parts(data)
    shuffled = [*zip(train, labels, strict=True)]
    random.Random(int(seed)).shuffle(shuffled)  # noqa: S311 - no secret
    _write("train.txt", (spaced(text) for text, _ in shuffled), (label for _, label in shuffled))
    _write("test.txt", map(spaced, test[0]), test[1])
    model = fasttext.train_supervised("train.txt", wordNgrams=int(longest), seed=int(seed), thread=1, verbose=0)
    leave(result, test_accuracy=model.test("test.txt")[1])


def save(data: str, model: str) -> None:
    """Train on the training reviews, prepared as in `texts`, at fastText's defaults, and write the model."""
    (train, labels), _ = both_parts(data)
    shuffled = [*zip(train, labels, strict=True)]
    random.Random(0).shuffle(shuffled)  # noqa: S311 - no secret
    _write("train.txt", (spaced(text) for text, _ in shuffled), (label for _, label in shuffled))
    fasttext.train_supervised("train.txt", thread=1, verbose=0).save_model(model)


def _write(path: str, lines: Iterable[str], labels: Iterable[int]) -> None:
    with Path(path).open("w", encoding="utf-8") as stream:
        for line, label in zip(lines, labels, strict=True):
            stream.write(f"__label__{label} {line}\n")


if __name__ == "__main__":
    run(fit, texts, save)
