"""Two fits of the lecture in one process of Keras: what a sweep there is made of.

The first fit of a process finds nothing warm; all others take about what the second does.
"""

from __future__ import annotations

import json

import keras

from benchmarks.peers.keras_lecture import arguments, fitted, numbered, vectorize_sequences


def main() -> None:
    """Fit twice, each time a fresh network, and write the seconds of both."""
    given = arguments()
    train_data, y_train, _, _ = numbered(given.npz)
    x_train = vectorize_sequences(train_data)
    _, first = fitted(x_train, y_train, given.epochs)
    # As a sweep there would, lest the networks pile up; not timed.
    keras.utils.clear_session()
    _, second = fitted(x_train, y_train, given.epochs)
    result = {"first_fit_seconds": first, "second_fit_seconds": second}
    given.result.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
