"""Where measured processes run: a temporary folder, the environment variables, and what is prepared for both sides."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.command import ROOT, read_json
from benchmarks.processes import Finished, run_process


@dataclass(frozen=True)
class Extent:
    """How much work a run does; less for a quick look.

    `in_process` is how often a process repeats what takes less than a second; its median counts. `sweep_overrides`
    make the lecture's sweep one of `sweep_jobs` jobs.
    """

    epochs: int = 20
    texts: int = 25_000
    single_texts: int = 500
    in_process: int = 3
    sweep_jobs: int = 36
    sweep_overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ended:
    """A measured process: what was measured from outside, what it wrote itself, and its command."""

    finished: Finished
    result: dict[str, Any]
    command: str

    @property
    def metrics(self) -> dict[str, float]:
        """All numbers by name. A process that measures its own seconds leaves out its imports."""
        numbers = {name: float(value) for name, value in self.result.items() if isinstance(value, int | float)}
        return {"seconds": self.finished.seconds, "peak_mb": self.finished.peak_mb, **numbers}

    def with_metric(self, name: str, value: float) -> Ended:
        """The same with one more metric."""
        return replace(self, result={**self.result, name: value})


def own_metrics(folder: Path) -> dict[str, Any]:
    """What a process, or a run, measured and wrote itself; empty where it wrote nothing."""
    for file in (folder / "run" / "metrics.json", folder / "RESULT"):
        if file.exists():
            return read_json(file)
    return {}


@dataclass(frozen=True)
class Workplace:
    """A folder, the reviews' folder, the two interpreters and the extent of the work."""

    folder: Path
    data: Path
    peers: Path
    extent: Extent = Extent()

    @property
    def program(self) -> str:
        """The command `imdbclf` of this environment."""
        return str(Path(sys.executable).parent / "imdbclf")

    @property
    def python(self) -> str:
        """The interpreter of this environment."""
        return sys.executable

    def measure(
        self,
        command: list[str],
        *,
        cache: Path | None = None,
        hub: Path | None = None,
        terminal: bool = False,
        watch_private: bool = False,
        read: Callable[[Path], dict[str, Any]] = own_metrics,
    ) -> Ended:
        """Run a command in a folder of its own, where `RESULT` is the file for what it measures itself.

        Args:
            command: program and arguments.
            cache: the folder of encoded reviews; None for the filled one.
            hub: the folder of the Hub's library; None for one that all processes share.
            terminal: see `run_process`.
            watch_private: see `run_process`.
            read: reads the metrics that the command has left in its folder.
        """
        environment = self._environment(cache or self.cache, hub or self.folder / "hub")
        with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as name:
            folder = Path(name)
            finished = run_process(command, environment, folder, terminal=terminal, watch_private=watch_private)
            return Ended(finished, read(folder), self.shown(command))

    def ours(self, script: str, *arguments: object) -> list[str]:
        """The command of a script of `benchmarks.ours`: a module, and a function where it has several."""
        return [sys.executable, "-m", *f"benchmarks.ours.{script}".split(), *map(str, arguments)]

    def peer(self, script: str, *arguments: object) -> list[str]:
        """The same of `benchmarks.peers`, in the peers' environment."""
        return [str(self.peers), "-m", *f"benchmarks.peers.{script}".split(), *map(str, arguments)]

    def shown(self, command: list[str]) -> str:
        """A command without paths of this machine: `DATA`, `WORK` and the two environments by their names."""
        shown = " ".join(f'"{word}"' if " " in word else word for word in command)
        places = {self.data: "DATA", self.folder: "WORK", self.peers: ".venv-peers/bin/python"}
        for place, name in {**places, Path(sys.executable).parent: ".venv/bin"}.items():
            shown = shown.replace(str(place), name)
        return shown

    @property
    def fewer_epochs(self) -> list[str]:
        """The override of a run with fewer epochs than usual."""
        return [f"trainer.max_epochs={self.extent.epochs}"] if self.extent.epochs != Extent.epochs else []

    @property
    def cache(self) -> Path:
        """The folder of encoded reviews, filled by `checkpoint`."""
        return self.folder / "cache"

    @cached_property
    def checkpoint(self) -> Path:
        """The best checkpoint of a finished lecture; its run has also filled the cache."""
        run = self.folder / "run"
        self.measure([self.program, "train", "experiment=lecture", *self.fewer_epochs, f"hydra.run.dir={run}"])
        return run / "checkpoints" / "best.ckpt"

    @cached_property
    def npz(self) -> Path:
        """The reviews' word numbers as Keras' `imdb.load_data` has them."""
        _ = self.checkpoint
        path = self.folder / "imdb.npz"
        self.measure(self.ours("corpora numbered", path))
        return path

    @cached_property
    def warm_keras(self) -> Ended:
        """Keras' half a gigabyte of libraries, read from the disk once before anything is timed."""
        return self.measure([str(self.peers), "-c", "import keras"])

    @cached_property
    def regression(self) -> Path:
        """scikit-learn's fitted model."""
        path = self.folder / "regression.joblib"
        self.measure(self.peer("sklearn_words fit", self.data, path, self.extent.texts))
        return path

    def _environment(self, cache: Path, hub: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "HYDRA_FULL_ERROR"}}
        return kept | {
            "HF_DATASETS_CACHE": str(hub / "datasets"),
            "HF_HOME": str(hub),
            "IMDBCLF_CACHE": str(cache),
            "IMDBCLF_DATA": str(self.data),
            # This checkout is measured, even where another version is installed.
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "TERM": "xterm-256color",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
