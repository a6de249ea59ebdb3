"""The lecture in Keras, from prepared word numbers: the fit with validation, two such fits, and final fits.

Float32 rows instead of the lecture's float64 halve the memory and are what Keras would convert them to: both are in
Keras' favour.
"""

from __future__ import annotations

import time
from pathlib import Path

import keras
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from keras import layers

from benchmarks.reviews import leave, run

mpl.use("Agg")
from matplotlib import pyplot as plt

VALIDATION = 10_000
FINAL_EPOCHS = 4
Labels = npt.NDArray[np.float32]


def vectorize_sequences(sequences: npt.NDArray[np.object_], dimension: int = 10_000) -> npt.NDArray[np.float32]:
    """The lecture's function: a row for each review, 1 where a word occurs."""
    results = np.zeros((len(sequences), dimension), dtype="float32")
    for i, sequence in enumerate(sequences):
        for j in sequence:
            results[i, j] = 1.0
    return results


def numbered(npz: str) -> tuple[npt.NDArray[np.object_], Labels, npt.NDArray[np.object_], Labels]:
    """Word numbers and labels of both parts, as keras.datasets.imdb.load_data reads its download, then shuffles."""
    with np.load(npz, allow_pickle=True) as file:
        train_data, train_labels = file["x_train"], file["y_train"]
        test_data, test_labels = file["x_test"], file["y_test"]
    order = np.random.RandomState(113).permutation(len(train_data))
    return train_data[order], train_labels[order].astype("float32"), test_data, test_labels.astype("float32")


def network() -> keras.Sequential:
    """A new network of the lecture, compiled."""
    hidden = [layers.Dense(16, activation="relu"), layers.Dense(16, activation="relu")]
    model = keras.Sequential([*hidden, layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def fitted(x_train: npt.NDArray[np.float32], y_train: Labels, epochs: str) -> tuple[dict[str, list[float]], float]:
    """A new network fitted with both checkpoints: its history and seconds."""
    model = network()
    started = time.perf_counter()
    history = model.fit(
        x_train[VALIDATION:],
        y_train[VALIDATION:],
        epochs=int(epochs),
        batch_size=512,
        validation_data=(x_train[:VALIDATION], y_train[:VALIDATION]),
        callbacks=[
            keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True),
            keras.callbacks.ModelCheckpoint("last.keras"),
        ],
    )
    return history.history, time.perf_counter() - started


def fit(npz: str, result: str, epochs: str) -> None:
    """Fit, test on the best checkpoint, plot, predict."""
    train_data, y_train, test_data, y_test = numbered(npz)
    x_train, x_test = vectorize_sequences(train_data), vectorize_sequences(test_data)
    history, fit_seconds = fitted(x_train, y_train, epochs)
    best = keras.models.load_model("best.keras")
    loss, accuracy = best.evaluate(x_test, y_test)
    draw(history, Path("history.png"))
    np.save("predictions.npy", best.predict(x_test))
    leave(result, fit_seconds=fit_seconds, test_loss=float(loss), test_accuracy=float(accuracy))


def two_fits(npz: str, result: str, epochs: str) -> None:
    """Two fits in one process, as in a sweep: the first finds nothing warm, the others take about as the second."""
    train_data, y_train, _, _ = numbered(npz)
    x_train = vectorize_sequences(train_data)
    _, first = fitted(x_train, y_train, epochs)
    # As a sweep would, so that networks do not pile up; not timed.
    keras.utils.clear_session()
    _, second = fitted(x_train, y_train, epochs)
    leave(result, first_fit_seconds=first, second_fit_seconds=second)


def final(npz: str, result: str, seed: str) -> None:
    """The final fit: four epochs on all 25,000 training reviews, then the test."""
    keras.utils.set_random_seed(int(seed))
    train_data, y_train, test_data, y_test = numbered(npz)
    model = network()
    model.fit(vectorize_sequences(train_data), y_train, epochs=FINAL_EPOCHS, batch_size=512, verbose=0)
    _, accuracy = model.evaluate(vectorize_sequences(test_data), y_test, verbose=0)
    leave(result, test_accuracy=float(accuracy), parameters=model.count_params())


def finals(npz: str, result: str, seeds: str) -> None:
    """The final fit with each of that many seeds, in one process: test accuracies only."""
    train_data, y_train, test_data, y_test = numbered(npz)
    x_train, x_test = vectorize_sequences(train_data), vectorize_sequences(test_data)
    accuracy = []
    for seed in range(int(seeds)):
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        model = network()
        model.fit(x_train, y_train, epochs=FINAL_EPOCHS, batch_size=512, verbose=0)
        accuracy.append(float(model.evaluate(x_test, y_test, verbose=0)[1]))
    leave(result, test_accuracy=accuracy)


def draw(history: dict[str, list[float]], path: Path) -> None:
    """The lecture's two plots."""
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
    run(fit, two_fits, final, finals)
