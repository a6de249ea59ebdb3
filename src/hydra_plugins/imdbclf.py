"""Our sweepers, where Hydra looks for plugins: `hydra/sweeper=grid` and `hydra/sweeper=search`.

Hydra imports this module at every start; the sweeps themselves are imported when one runs.
"""

from __future__ import annotations

import importlib.util
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

if TYPE_CHECKING:
    from imdbclf.sweeps.run import SweepRun


class _OwnSweeper(Sweeper):
    """Keeps what Hydra gives until `sweep`; the keys of its config are read there."""

    def __init__(self, **_: Any) -> None:
        self.hydra_context: HydraContext | None = None
        self.config: DictConfig | None = None
        self.task_function: TaskFunction | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra gives."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> None:
        """Run the sweep of these overrides.

        Raises:
            UserError: for anything that the user can correct, failed jobs included.
        """
        from imdbclf.data.job_cache import forget  # noqa: PLC0415
        from imdbclf.sweeps.run import SweepRun  # noqa: PLC0415

        assert self.hydra_context is not None  # noqa: S101 - Hydra calls setup first
        assert self.task_function is not None  # noqa: S101
        assert self.config is not None  # noqa: S101
        try:
            self.run(SweepRun(self.hydra_context, self.task_function, self.config, arguments))
        finally:
            forget()

    @abstractmethod
    def run(self, sweep: SweepRun) -> None:
        """Plan the jobs, run them and report."""


class GridSweeper(_OwnSweeper):
    """Every combination of the axes' values."""

    def run(self, sweep: SweepRun) -> None:
        """Run the grid."""
        from imdbclf.sweeps.run import run_grid  # noqa: PLC0415

        run_grid(sweep)


class SearchSweeper(_OwnSweeper):
    """Optuna's search in the space of the axes."""

    def run(self, sweep: SweepRun) -> None:
        """Run the search.

        Raises:
            UserError: if Optuna, an extra, is not installed; or as `sweep` does.
        """
        from imdbclf.errors import UserError  # noqa: PLC0415

        if importlib.util.find_spec("optuna") is None:
            msg = "hydra/sweeper=search: Optuna is not installed; pip install 'imdbclf[search]'"
            raise UserError(msg)
        from imdbclf.sweeps.search import run_search  # noqa: PLC0415

        run_search(sweep)
