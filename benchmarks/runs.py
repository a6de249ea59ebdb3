"""What is run and what each run yields; rows compare what two of them yielded."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.workplace import Ended, Workplace
from imdbclf.errors import UserError
from imdbclf.folders.sweep import SweepFolder

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
    device = [] if accelerator == "cpu" else [f"trainer.accelerator={accelerator}"]
    return [place.program, "train", "experiment=lecture", *_fewer_epochs(place), *device, "hydra.run.dir=run"]


def _fewer_epochs(place: Workplace) -> list[str]:
    return [f"trainer.max_epochs={place.extent.epochs}"] if place.extent.epochs != Workplace.extent.epochs else []


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


SWEEP_PROCESSES = ("hydra/launcher=processes", "hydra.launcher.n_jobs=2")


def _sweep(*where: str) -> Callable[[Workplace], Observation]:
    """The lecture's sweep, its jobs run as the overrides say."""

    def observed(place: Workplace) -> Observation:
        overrides = [*place.extent.sweep_overrides, *_fewer_epochs(place), *where]
        command = [place.program, "train", "-m", "sweep=lecture", *overrides, "hydra.sweep.dir=sweep"]
        ended = place.measure(command, terminal=True, figures=sweep_figures)
        if ended.result["jobs"] != place.extent.sweep_jobs:
            msg = f"sweep: has {ended.result['jobs']} jobs; {place.extent.sweep_jobs} are compared"
            raise UserError(msg)
        seen = _observed(ended)
        besides = seen.quantities["seconds"] - seen.quantities["fits_seconds"]
        return replace(seen, quantities=seen.quantities | {"besides_seconds": besides})

    return observed


def sweep_figures(folder: Path) -> dict[str, Any]:
    """Of a finished sweep: how many jobs there were, and the seconds of their fits."""
    found = SweepFolder(folder / "sweep")
    runs = [found.run(job) for job in found.read().jobs]
    metrics = [json.loads(run.metrics.read_text(encoding="utf-8")) for run in runs]
    return {"jobs": len(runs), "fits_seconds": sum(each["fit_seconds"] for each in metrics)}


def _keras_sweep(place: Workplace) -> Observation:
    command = place.peers("keras_sweep", place.npz, "RESULT", "--epochs", place.extent.epochs)
    seen = _observed(place.measure(command, terminal=True))
    seconds = projected(seen.quantities, place.extent.sweep_jobs)
    return replace(seen, quantities=seen.quantities | {"sweep_seconds": seconds})


def projected(fits: Quantities, count: int) -> float:
    """Seconds of so many fits in one process, by those of its first and its second."""
    return fits["first_fit_seconds"] + (count - 1) * fits["second_fit_seconds"]


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
    "sweep": Run("imdbclf train -m sweep=lecture", _sweep(), lambda place: place.checkpoint),
    "keras_sweep": Run("two fits in Keras", _keras_sweep, _prepare_keras),
    "sweep_processes": Run("the sweep in two processes", _sweep(*SWEEP_PROCESSES), lambda place: place.checkpoint),
}
"""In the order in which a repetition runs them: what is compared stands side by side."""
