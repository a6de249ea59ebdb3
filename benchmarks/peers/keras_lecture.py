"""The lecture in Keras: prepared word numbers, multi-hot rows, fit with validation, test, picture, prediction.

Float32 rows instead of the lecture's float64 halve the memory and are what Keras would convert them to: both in
Keras' favour.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import keras
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from keras import layers

mpl.use("Agg")
from matplotlib import pyplot as plt

VALIDATION = 10_000
Labels = npt.NDArray[np.float32]


def vectorize_sequences(sequences: npt.NDArray[np.object_], dimension: int = 10_000) -> npt.NDArray[np.float32]:
    """The lecture's function: a row a review, 1 where a word occurs."""
    results = np.zeros((len(sequences), dimension), dtype="float32")
    for i, sequence in enumerate(sequences):
        for j in sequence:
            results[i, j] = 1.0
    return results


def numbered(npz: Path) -> tuple[npt.NDArray[np.object_], Labels, npt.NDArray[np.object_], Labels]:
    """Word numbers and labels of both parts, as keras.datasets.imdb.load_data reads its download, then shuffles."""
    with np.load(npz, allow_pickle=True) as file:
        train_data, train_labels = file["x_train"], file["y_train"]
        test_data, test_labels = file["x_test"], file["y_test"]
    order = np.random.RandomState(113).permutation(len(train_data))
    labels = train_labels[order].astype("float32"), test_labels.astype("float32")
    return train_data[order], labels[0], test_data, labels[1]


def network() -> keras.Sequential:
    """A fresh network of the lecture, compiled."""
    model = keras.Sequential(
        [
            layers.Dense(16, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def fitted(x_train: npt.NDArray[np.float32], y_train: Labels, epochs: int) -> tuple[dict[str, list[float]], float]:
    """A fresh network fitted with both checkpoints: its history and seconds."""
    model = network()
    started = time.perf_counter()
    history = model.fit(
        x_train[VALIDATION:],
        y_train[VALIDATION:],
        epochs=epochs,
        batch_size=512,
        validation_data=(x_train[:VALIDATION], y_train[:VALIDATION]),
        callbacks=[
            keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True),
            keras.callbacks.ModelCheckpoint("last.keras"),
        ],
    )
    return history.history, time.perf_counter() - started


def arguments() -> argparse.Namespace:
    """Where the word numbers are, where the result goes, how many epochs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("npz", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--epochs", type=int, default=20)
    return parser.parse_args()


def main() -> None:
    """Run the lecture and write the seconds that `fit` took."""
    given = arguments()
    train_data, y_train, test_data, y_test = numbered(given.npz)
    x_train, x_test = vectorize_sequences(train_data), vectorize_sequences(test_data)
    history, fit_seconds = fitted(x_train, y_train, given.epochs)

    best = keras.models.load_model("best.keras")
    loss, accuracy = best.evaluate(x_test, y_test)
    draw(history, Path("history.png"))
    np.save("predictions.npy", best.predict(x_test))
    result = {"fit_seconds": fit_seconds, "test_loss": float(loss), "test_accuracy": float(accuracy)}
    given.result.write_text(json.dumps(result), encoding="utf-8")


def draw(history: dict[str, list[float]], path: Path) -> None:
    """The lecture's two pictures."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
        epochs = range(1, len(history[name]) + 1)
        axis.plot(epochs, history[name], "bo", label="training")
        axis.plot(epochs, history[f"val_{name}"], "b", label="validation")
        axis.set_xlabel("epoch")
        axis.set_ylabel(name)
        axis.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main()
