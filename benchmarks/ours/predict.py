"""Raw texts to probabilities with a checkpoint: many at once, and one at a time."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reviews import read_part, spread
from imdbclf.inference.predictor import Predictor


def probabilities(predictor: Predictor, texts: list[str]) -> Sequence[float]:
    """The probability of each text, by whatever way this version of the predictor has for many."""
    if (bulk := getattr(predictor, "probabilities", None)) is not None:
        found: Sequence[float] = bulk(texts)
        return found
    return [prediction.probability for prediction in predictor.predict(texts)]


def main(data: str, checkpoint: str, result: str, many: str, one: str, repeat: str) -> None:
    """Time both with the checkpoint in memory."""
    predictor = Predictor.from_checkpoint(checkpoint)
    texts = read_part(Path(data), "test")["text"].to_pylist()
    chosen = spread(texts, int(many))
    many_seconds = []
    for _ in range(int(repeat)):
        started = time.perf_counter()
        probabilities(predictor, chosen)
        many_seconds.append(time.perf_counter() - started)
    one_milliseconds = []
    for text in spread(texts, int(one)):
        started = time.perf_counter()
        _ = predictor.predict([text])[0].probability
        one_milliseconds.append((time.perf_counter() - started) * 1e3)
    found = {
        "many_seconds": statistics.median(many_seconds),
        "one_milliseconds": statistics.median(one_milliseconds),
    }
    Path(result).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
