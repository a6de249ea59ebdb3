"""The grid: every combination of the axes' values."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hydra.core.override_parser.types import Override

from imdbclf.console import tell
from imdbclf.errors import UserError
from imdbclf.sweeps.plan import axes_of, each_once
from imdbclf.sweeps.run import Running


def sweep(running: Running) -> None:
    """Plan every job of the grid, run those that are not done, and report on all.

    Args:
        running: who knows what was asked for, and runs jobs.

    Raises:
        UserError: for a wrong value anywhere in the grid, an empty grid, or jobs that failed.
    """
    overrides = running.overrides
    axes = axes_of(overrides)
    jobs = multiplied_out(overrides)
    running.begin(axes)
    planner = running.planner(axes)
    with running.checking(len(jobs)) as checked:
        planned = [checked(planner.plan(job)) for job in jobs]
    once = each_once(planned)
    if len(once) < len(planned):
        tell(f"{len(planned) - len(once)} of {len(planned)} jobs compute what another one does; each is run once.")
    running.ask(axes, [planned.job for planned in once])
    running.run(once)
    running.report()


def multiplied_out(overrides: Sequence[Override]) -> list[list[str]]:
    """The overrides of every job, in the order in which the axes were given.

    Raises:
        UserError: if an axis has no values, or a range of real numbers, which only a search can take values from.
    """
    choices = []
    for override in overrides:
        if not override.is_sweep_override():
            choices.append([str(override.input_line)])
            continue
        if not override.is_discrete_sweep():
            msg = f"{override.input_line}: an interval has no list of values; hydra/sweeper=search searches in it"
            raise UserError(msg)
        values = [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]
        if not values:
            msg = f"{override.input_line}: has no values, so the grid is empty"
            raise UserError(msg)
        choices.append(values)
    return [list(job) for job in itertools.product(*choices)]
