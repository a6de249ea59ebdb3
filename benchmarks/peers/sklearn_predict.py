"""Raw texts to probabilities by scikit-learn: many at once, and one at a time."""

from __future__ import annotations

import sys

import joblib

from benchmarks.predicting import measure


def main(data: str, model: str, result: str, many: str, one: str, repeat: str) -> None:
    """Time both with the fitted model in memory."""
    words, regression = joblib.load(model)

    def classify(texts: list[str]) -> object:
        return regression.predict_proba(words.transform(texts))

    measure(data, result, many, one, repeat, classify, lambda text: classify([text]))


if __name__ == "__main__":
    main(*sys.argv[1:])
