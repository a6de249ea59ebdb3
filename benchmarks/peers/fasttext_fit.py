"""fastText on the same training reviews: 16 dimensions, single words, as many epochs, every core."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import fasttext
import numpy as np

VALIDATION = 10_000


def main(npz: str, result: str, epochs: str) -> None:
    """Time `train_supervised`, reading its file included, which can't be separated."""
    with np.load(npz, allow_pickle=True) as file:
        train = (file["x_train"], file["y_train"])
        test = (file["x_test"], file["y_test"])
    order = np.random.RandomState(113).permutation(len(train[0]))[VALIDATION:]
    _write(Path("train.txt"), train[0][order], train[1][order])
    _write(Path("test.txt"), *test)
    started = time.perf_counter()
    model = fasttext.train_supervised(
        "train.txt", dim=16, epoch=int(epochs), thread=len(os.sched_getaffinity(0)), verbose=0
    )
    seconds = time.perf_counter() - started
    _, precision, _ = model.test("test.txt")
    found = {"fit_seconds": seconds, "test_accuracy": precision}
    Path(result).write_text(json.dumps(found), encoding="utf-8")


def _write(path: Path, sequences: np.ndarray, labels: np.ndarray) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for sequence, label in zip(sequences, labels, strict=True):
            stream.write(f"__label__{label} {' '.join(map(str, sequence))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
