"""Where measured processes run: a temporary folder, the environment of either side, and what is prepared for both."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.paths import ROOT
from benchmarks.processes import Finished, run_process
from imdbclf.errors import UserError


@dataclass(frozen=True)
class Extent:
    """How much work a run does; less of it for a quick look."""

    epochs: int = 20
    texts: int = 25_000
    single_texts: int = 500
    in_process: int = 3
    """Times that a process repeats what takes well below a second; its median counts."""
    sweep_jobs: int = 36
    """Jobs of the lecture's sweep."""
    sweep_overrides: tuple[str, ...] = ()
    """What makes it smaller."""


@dataclass(frozen=True)
class Ended:
    """A measured process: what was seen from outside, what it wrote itself, and its command."""

    finished: Finished
    result: dict[str, Any]
    command: str


def _own_figures(folder: Path) -> dict[str, Any]:
    """What a process, or a run, wrote of itself; nothing where it wrote nothing."""
    for file in (folder / "run" / "metrics.json", folder / "RESULT"):
        if file.exists():
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return found
    return {}


@dataclass(frozen=True)
class Workplace:
    """A folder, the reviews' folder, the two interpreters and the extent of the work."""

    folder: Path
    data: Path
    peers_python: Path
    extent: Extent = Extent()
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def program(self) -> str:
        """The command `imdbclf` of this environment."""
        return str(Path(sys.executable).parent / "imdbclf")

    def measure(
        self,
        command: list[str],
        *,
        cache: Path | None = None,
        hub: Path | None = None,
        terminal: bool = False,
        watch_private: bool = False,
        figures: Callable[[Path], dict[str, Any]] = _own_figures,
    ) -> Ended:
        """Run a command in a folder of its own, `RESULT` in it standing for the file in which it leaves its figures.

        Args:
            command: program and arguments.
            cache: the folder of encoded reviews; None for the filled one.
            hub: the folder of the Hub's library; None for one that is used before.
            terminal: see `run_process`.
            watch_private: see `run_process`.
            figures: what reads the figures that the command has left in its folder.
        """
        folder = self.folder / "processes" / str(next(self._numbers))
        folder.mkdir(parents=True)
        try:
            environment = self._environment(cache or self.cache, hub or self.folder / "hub")
            finished = run_process(command, environment, folder, terminal=terminal, watch_private=watch_private)
            return Ended(finished, figures(folder), self.shown(command))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def ours(self, module: str, *arguments: object) -> list[str]:
        """The command of a module of `benchmarks.ours`."""
        return [sys.executable, "-m", f"benchmarks.ours.{module}", *map(str, arguments)]

    def peers(self, module: str, *arguments: object) -> list[str]:
        """The command of a module of `benchmarks.peers`, in the peers' environment."""
        return [str(self.peers_python), "-m", f"benchmarks.peers.{module}", *map(str, arguments)]

    def shown(self, command: list[str]) -> str:
        """A command without the places of this machine: `DATA`, `WORK` and the two environments by their names."""
        places = {
            str(self.data): "DATA",
            str(self.folder): "WORK",
            str(self.peers_python): ".venv-peers/bin/python",
            str(Path(sys.executable).parent): ".venv/bin",
        }
        shown = " ".join(f'"{word}"' if " " in word else word for word in command)
        for place, name in places.items():
            shown = shown.replace(place, name)
        return shown

    @property
    def cache(self) -> Path:
        """The folder of encoded reviews, filled by `checkpoint`."""
        return self.folder / "cache"

    @cached_property
    def checkpoint(self) -> Path:
        """A finished lecture's best checkpoint; the run that made it has filled the cache too."""
        run = self.folder / "run"
        epochs = f"trainer.max_epochs={self.extent.epochs}"
        self.measure([self.program, "train", "experiment=lecture", epochs, f"hydra.run.dir={run}"])
        return run / "checkpoints" / "best.ckpt"

    @cached_property
    def npz(self) -> Path:
        """The reviews' word numbers as Keras' `imdb.load_data` has them."""
        _ = self.checkpoint
        path = self.folder / "imdb.npz"
        self.measure(self.ours("numbered_reviews", path))
        return path

    @cached_property
    def regression(self) -> Path:
        """scikit-learn's fitted model."""
        path = self.folder / "regression.joblib"
        self.measure(self.peers("sklearn_fit", self.data, path, self.extent.texts))
        return path

    def _environment(self, cache: Path, hub: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "HYDRA_FULL_ERROR"}}
        return kept | {
            "HF_DATASETS_CACHE": str(hub / "datasets"),
            "HF_HOME": str(hub),
            "IMDBCLF_CACHE": str(cache),
            "IMDBCLF_DATA": str(self.data),
            # What is measured is this checkout, whatever is installed.
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "TERM": "xterm-256color",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }


def reviews_folder() -> Path:
    """The folder that IMDBCLF_DATA names.

    Raises:
        UserError: if it names none, or one that is not in the Hub's layout.
    """
    named = os.environ.get("IMDBCLF_DATA")
    if not named:
        msg = "IMDBCLF_DATA is not set: it must name a folder of the real reviews in the Hub's layout"
        raise UserError(msg)
    folder = Path(named).expanduser()
    if not list(folder.rglob("train-*.parquet")) or not list(folder.rglob("test-*.parquet")):
        msg = f"IMDBCLF_DATA={named}: must name a folder in the Hub's layout (train-*.parquet, test-*.parquet)"
        raise UserError(msg)
    return folder.resolve()
