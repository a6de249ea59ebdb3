"""Where the time of one `imdbclf train experiment=lecture` goes, phase by phase, in a process of its own."""

from __future__ import annotations

import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.reviews import leave


def main(folder: str, result: str) -> None:
    """Do what the command does, in its order, and note the time after each phase."""
    times = [("", time.perf_counter())]

    def ended(phase: str) -> None:
        times.append((phase, time.perf_counter()))

    from imdbclf.settings import Settings  # noqa: PLC0415 - imports are a phase
    from imdbclf.startup import fast_imports  # noqa: PLC0415

    with fast_imports():
        from imdbclf.data.prepare import load_reviews  # noqa: PLC0415
        from imdbclf.training import app  # noqa: F401, PLC0415

    ended("Hydra, settings, Arrow: imports")
    trainer = {"accelerator": "cpu", "devices": 1, "max_epochs": 20, "num_sanity_val_steps": 0}
    settings = Settings.from_config({"experiment": "lecture", "trainer": trainer})
    read: list[float] = []

    def load() -> Any:
        started = time.perf_counter()
        loaded = load_reviews(settings.data, settings.seed)
        read.append(time.perf_counter() - started)
        return loaded

    with ThreadPoolExecutor(1) as reader, fast_imports():
        loading: Future[Any] = reader.submit(load)
        from imdbclf.folders.run import RunFolder  # noqa: PLC0415
        from imdbclf.training.run import Run  # noqa: PLC0415
    ended("torch and Lightning: imports (reviews are read meanwhile)")
    Path(folder).mkdir()
    run = Run(settings, RunFolder(Path(folder)), loading)
    fit_seconds = run.execute()["fit_seconds"]
    ended("run")
    phases = {name: end - start for (_, start), (name, end) in pairwise(times)}
    phases["fit: 20 epochs"] = fit_seconds
    phases["network, trainer, plot, evaluation, predictions"] = phases.pop("run") - fit_seconds
    leave(result, phases=phases, reading=read[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
