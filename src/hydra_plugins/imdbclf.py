"""Our sweepers, where Hydra looks for plugins: `hydra/sweeper=grid` and `hydra/sweeper=search`.

Hydra imports this module at every start; the sweeps themselves are imported when one runs.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from imdbclf.console import install_command
from imdbclf.errors import UserError

if TYPE_CHECKING:
    from imdbclf.sweeps.run import SweepRun


class GridSweeper(Sweeper):
    """Every combination of the axes' values. The keys of its config are read when it runs."""

    def __init__(self, **_: Any) -> None: ...

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra gives."""
        self.given = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> None:
        """Run the sweep of these overrides.

        Raises:
            UserError: for anything that the user can correct, failed jobs included.
        """
        from imdbclf.data.sweep_cache import forget  # noqa: PLC0415
        from imdbclf.sweeps.run import SweepRun  # noqa: PLC0415

        try:
            self.run(SweepRun(*self.given, arguments))
        finally:
            forget()

    def run(self, sweep: SweepRun) -> None:
        """Plan the jobs, run them and report."""
        from imdbclf.sweeps.run import run_grid  # noqa: PLC0415

        run_grid(sweep)


class SearchSweeper(GridSweeper):
    """Optuna's search in the space of the axes."""

    def run(self, sweep: SweepRun) -> None:
        """Run the search, if Optuna, an extra, is installed."""
        if importlib.util.find_spec("optuna") is None:
            msg = f"hydra/sweeper=search: Optuna is not installed; {install_command('search')}"
            raise UserError(msg)
        from imdbclf.sweeps.search import run_search  # noqa: PLC0415

        run_search(sweep)
