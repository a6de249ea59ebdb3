"""Raw texts to probabilities with a checkpoint: many at once, and one at a time."""

from __future__ import annotations

import sys

from benchmarks.reviews import time_predictions
from imdbclf.inference.predictor import Predictor


def main(data: str, checkpoint: str, result: str, many: str, one: str, repeat: str) -> None:
    """Time both with the checkpoint in memory."""
    predictor = Predictor.from_checkpoint(checkpoint)
    counts = (many, one, repeat)
    time_predictions(
        data, result, counts, predictor.probabilities, lambda text: predictor.predict([text])[0].probability
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
