"""What the peers that start at raw texts have in common: reading both parts, and leaving their figures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.reviews import read_part

Part = tuple[list[str], npt.NDArray[np.int8]]


def both_parts(data: str) -> tuple[Part, Part]:
    """Texts and labels of the training and of the test part."""
    train, test = (read_part(Path(data), name) for name in ("train", "test"))
    return (train["text"].to_pylist(), train["label"].to_numpy()), (test["text"].to_pylist(), test["label"].to_numpy())


def spaced(text: str) -> str:
    """The text in lower case, punctuation apart from words, one blank between any two: what papers' scripts make."""
    return " ".join(re.sub(r"([.,!?()'\";:])", r" \1 ", text.lower().replace("<br />", " ")).split())


def leave(result: str, accuracy: float, **figures: Any) -> None:
    """Write the test accuracy and whatever else was found."""
    Path(result).write_text(json.dumps({"test_accuracy": float(accuracy), **figures}), encoding="utf-8")
