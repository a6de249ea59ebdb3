"""What Hydra sees of a sweep: a `Sweeper` that keeps what it is given and imports its work when it is called."""

from __future__ import annotations

import importlib
from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class OwnSweeper(Sweeper):
    """Hands a sweep to the function `sweep` of the module `strategy`.

    The keys of its config are the module's to read; here they are only accepted.
    """

    strategy: str

    def __init__(self, **_: Any) -> None:
        self.hydra_context: HydraContext | None = None
        self.config: DictConfig | None = None
        self.task_function: TaskFunction | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra gives."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> None:
        """Run the sweep that the overrides ask for.

        Raises:
            UserError: for anything that the person at the keyboard can put right, failed jobs included.
        """
        from imdbclf.data.job_cache import forget  # noqa: PLC0415
        from imdbclf.sweeps.run import Running  # noqa: PLC0415

        assert self.hydra_context is not None  # noqa: S101 - Hydra calls setup first
        assert self.task_function is not None  # noqa: S101
        assert self.config is not None  # noqa: S101
        running = Running(self.hydra_context, self.task_function, self.config, arguments)
        try:
            importlib.import_module(self.strategy).sweep(running)
        finally:
            forget()
