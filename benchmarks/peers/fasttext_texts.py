"""Raw texts to test accuracy by fastText's supervised mode at its defaults, with single words or with pairs as well.

Texts are made ready as fastText's own script of its paper's results does: lower case, punctuation as words of its own,
the training texts shuffled, since they are met in the order of the file and the reviews' is that of their labels. One
thread, since several write over each other and no run is like another; then the seed decides everything.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from pathlib import Path

import fasttext

from benchmarks.peers.texts import both_parts, leave, spaced


def main(data: str, result: str, longest: str, seed: str) -> None:
    """Write both parts as fastText wants them, fit with n-grams of up to `longest` words, test."""
    train, test = (_lines(*part) for part in both_parts(data))
    random.Random(int(seed)).shuffle(train)  # noqa: S311 - no secret
    Path("train.txt").write_text("".join(train), encoding="utf-8")
    Path("test.txt").write_text("".join(test), encoding="utf-8")
    model = fasttext.train_supervised("train.txt", wordNgrams=int(longest), seed=int(seed), thread=1, verbose=0)
    _, precision, _ = model.test("test.txt")
    leave(result, precision)


def _lines(texts: Iterable[str], labels: Iterable[int]) -> list[str]:
    return [f"__label__{label} {spaced(text)}\n" for text, label in zip(texts, labels, strict=True)]


if __name__ == "__main__":
    main(*sys.argv[1:])
