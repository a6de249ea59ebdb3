"""Our sweepers, where Hydra looks for them: `hydra/sweeper=grid` and `hydra/sweeper=search`.

Hydra imports this module at every start, so it imports nothing that takes time.
"""

from __future__ import annotations

from imdbclf.sweeps.sweeper import OwnSweeper


class GridSweeper(OwnSweeper):
    """Every combination of the axes' values; see `imdbclf.sweeps.grid`."""

    strategy = "imdbclf.sweeps.grid"


class SearchSweeper(OwnSweeper):
    """Optuna's search in the space of the axes; see `imdbclf.sweeps.search`."""

    strategy = "imdbclf.sweeps.search"
