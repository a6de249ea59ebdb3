"""What is run and what each run yields; rows compare what two of them yielded."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.workplace import Ended, Workplace

Quantities = dict[str, float]


@dataclass(frozen=True)
class Observation:
    """What one run yielded: numbers by name, its command, and whatever else it wrote."""

    quantities: Quantities
    command: str
    result: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A measured process. `rounds` is how often it is run a repetition: more often where it is short and jittery."""

    title: str
    measure: Callable[[Workplace], Observation]
    prepare: Callable[[Workplace], object]
    rounds: int = 1


START_ROUNDS = 3


def _observed(ended: Ended) -> Observation:
    numbers = {name: float(value) for name, value in ended.result.items() if isinstance(value, int | float)}
    seen = {"seconds": ended.finished.seconds, "peak_mb": ended.finished.peak_mb}
    # A process' own clock, where it has one, leaves out its imports.
    return Observation(seen | numbers, ended.command, ended.result)


def _nothing(_place: Workplace) -> None:
    pass


def _prepare_keras(place: Workplace) -> None:
    _ = place.npz
    # Half a gigabyte of libraries: read from the disk once before anything is timed.
    place.measure([str(place.peers_python), "-c", "import keras"])


def _lecture_command(place: Workplace, accelerator: str = "cpu") -> list[str]:
    short = [f"trainer.max_epochs={place.extent.epochs}"] if place.extent.epochs != Workplace.extent.epochs else []
    device = [] if accelerator == "cpu" else [f"trainer.accelerator={accelerator}"]
    return [place.program, "train", "experiment=lecture", *short, *device, "hydra.run.dir=run"]


def _lecture(place: Workplace) -> Observation:
    return _observed(place.measure(_lecture_command(place), terminal=True))


def _lecture_gpu(place: Workplace) -> Observation:
    return _observed(place.measure(_lecture_command(place, "gpu"), terminal=True))


def _lecture_first(place: Workplace) -> Observation:
    empty = Path(tempfile.mkdtemp(dir=place.folder))
    try:
        command = _lecture_command(place)
        ended = place.measure(command, cache=empty / "cache", hub=empty / "hub", terminal=True)
        return _observed(replace(ended, command=f"IMDBCLF_CACHE=EMPTY/cache HF_HOME=EMPTY/hub {ended.command}"))
    finally:
        shutil.rmtree(empty, ignore_errors=True)


def _keras(place: Workplace) -> Observation:
    command = place.peers("keras_lecture", place.npz, "RESULT", "--epochs", place.extent.epochs)
    return _observed(place.measure(command, terminal=True))


def _plain_loop(place: Workplace) -> Observation:
    return _observed(place.measure(place.ours("plain_loop", "RESULT", place.extent.epochs)))


def _fasttext(place: Workplace) -> Observation:
    return _observed(place.measure(place.peers("fasttext_fit", place.npz, "RESULT", place.extent.epochs)))


def _encode(place: Workplace) -> Observation:
    extent = place.extent
    return _observed(place.measure(place.ours("encode", place.data, "RESULT", extent.texts, extent.in_process)))


def _sklearn_encode(place: Workplace) -> Observation:
    extent = place.extent
    command = place.peers("sklearn_encode", place.data, "RESULT", extent.texts, extent.in_process)
    return _observed(place.measure(command))


def _predict(place: Workplace) -> Observation:
    extent = place.extent
    arguments = (place.data, place.checkpoint, "RESULT", extent.texts, extent.single_texts, extent.in_process)
    return _observed(place.measure(place.ours("predict", *arguments)))


def _sklearn_predict(place: Workplace) -> Observation:
    extent = place.extent
    arguments = (place.data, place.regression, "RESULT", extent.texts, extent.single_texts, extent.in_process)
    return _observed(place.measure(place.peers("sklearn_predict", *arguments)))


def _python(code: str) -> Callable[[Workplace], Observation]:
    return lambda place: _observed(place.measure([sys.executable, "-c", code]))


def _help(place: Workplace) -> Observation:
    return _observed(place.measure([place.program, "--help"]))


def _completion(place: Workplace) -> Observation:
    asked = ["env", "_IMDBCLF_COMPLETE=complete_bash", "COMP_WORDS=imdbclf tr", "COMP_CWORD=1", place.program]
    return _observed(place.measure(asked))


def _predict_command(place: Workplace) -> Observation:
    return _observed(place.measure([place.program, "predict", str(place.checkpoint), "A film to remember."]))


RUNS: dict[str, Run] = {
    "lecture": Run("imdbclf train experiment=lecture", _lecture, lambda place: place.checkpoint),
    "keras": Run("the lecture in Keras", _keras, _prepare_keras),
    "plain_loop": Run("a plain torch loop", _plain_loop, lambda place: place.checkpoint),
    "lecture_first": Run("imdbclf train, nothing cached", _lecture_first, _nothing),
    "lecture_gpu": Run("imdbclf train trainer.accelerator=gpu", _lecture_gpu, lambda place: place.checkpoint),
    "fasttext": Run("fastText", _fasttext, lambda place: place.npz),
    "encode": Run("texts to multi-hot rows", _encode, _nothing),
    "sklearn_encode": Run("scikit-learn's CountVectorizer", _sklearn_encode, _nothing),
    "predict": Run("texts to probabilities", _predict, lambda place: place.checkpoint),
    "sklearn_predict": Run("scikit-learn's predict_proba", _sklearn_predict, lambda place: place.regression),
    "help": Run("imdbclf --help", _help, _nothing, START_ROUNDS),
    "python": Run("python -c pass", _python("pass"), _nothing, START_ROUNDS),
    "completion": Run("shell completion", _completion, _nothing, START_ROUNDS),
    "predict_command": Run("imdbclf predict", _predict_command, lambda place: place.checkpoint, START_ROUNDS),
    "import_torch": Run("import torch", _python("import torch"), _nothing, START_ROUNDS),
}
"""In the order in which a repetition runs them: what is compared stands side by side."""
