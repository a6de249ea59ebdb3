"""Raw texts to probabilities by scikit-learn: many at once, and one at a time."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import joblib

from benchmarks.reviews import read_part, spread


def main(data: str, model: str, result: str, many: str, one: str, repeat: str) -> None:
    """Time both with the fitted model in memory."""
    words, regression = joblib.load(model)
    texts = read_part(Path(data), "test")["text"].to_pylist()
    chosen = spread(texts, int(many))
    many_seconds = []
    for _ in range(int(repeat)):
        started = time.perf_counter()
        regression.predict_proba(words.transform(chosen))
        many_seconds.append(time.perf_counter() - started)
    one_milliseconds = []
    for text in spread(texts, int(one)):
        started = time.perf_counter()
        regression.predict_proba(words.transform([text]))
        one_milliseconds.append((time.perf_counter() - started) * 1e3)
    found = {
        "many_seconds": statistics.median(many_seconds),
        "one_milliseconds": statistics.median(one_milliseconds),
    }
    Path(result).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
