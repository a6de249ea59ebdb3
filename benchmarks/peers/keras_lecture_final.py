"""The lecture's final fit in Keras: four epochs on all 25,000 training reviews, then the test; from word numbers."""

from __future__ import annotations

import sys
from pathlib import Path

import keras

from benchmarks.peers.keras_lecture import network, numbered, vectorize_sequences
from benchmarks.peers.texts import leave

EPOCHS = 4


def main(npz: str, result: str, seed: str) -> None:
    """Encode, fit, test."""
    keras.utils.set_random_seed(int(seed))
    train_data, y_train, test_data, y_test = numbered(Path(npz))
    model = network()
    model.fit(vectorize_sequences(train_data), y_train, epochs=EPOCHS, batch_size=512, verbose=0)
    _, accuracy = model.evaluate(vectorize_sequences(test_data), y_test, verbose=0)
    leave(result, accuracy, parameters=model.count_params())


if __name__ == "__main__":
    main(*sys.argv[1:])
