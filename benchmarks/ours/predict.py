"""Raw texts to probabilities with a checkpoint: many at once, and one at a time."""

from __future__ import annotations

import sys

from benchmarks.predicting import measure
from imdbclf.inference.predictor import Predictor


def main(data: str, checkpoint: str, result: str, many: str, one: str, repeat: str) -> None:
    """Time both with the checkpoint in memory."""
    predictor = Predictor.from_checkpoint(checkpoint)
    measure(
        data, result, many, one, repeat, predictor.probabilities, lambda text: predictor.predict([text])[0].probability
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
