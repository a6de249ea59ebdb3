"""The section of a report about a search: how it was done, what came of it, and each new best trial."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from imdbclf.reports.labels import configuration_label, number_of, percent
from imdbclf.reports.page import Section, TextTable
from imdbclf.reports.sweep.plots import draw_search
from imdbclf.reports.sweep.sections import SweepResults

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def search_section(results: SweepResults) -> Section | None:
    """How a search went; None for a grid, or if the journal or Optuna (an extra) is missing."""
    search, journal = results.sweep.search, results.folder.journal
    if "study" not in search or not journal.exists() or importlib.util.find_spec("optuna") is None:
        return None
    from optuna import get_all_study_names, load_study  # noqa: PLC0415

    from imdbclf.folders.search_journal import counted, open_journal  # noqa: PLC0415

    storage, name = open_journal(journal), search["study"]
    trials = counted(load_study(study_name=name, storage=storage)) if name in get_all_study_names(storage) else []
    finished = [trial for trial in trials if trial.state.is_finished()]
    if not finished:
        return None
    is_loss = search["monitor"] == "val/loss"
    # A failed trial has no value, and a fit that diverged has an infinite loss.
    values = {trial.number: value for trial in finished if (value := trial.value) is not None and math.isfinite(value)}
    best: list[int] = []
    for number, value in values.items():
        if not best or (value < values[best[-1]] if is_loss else value > values[best[-1]]):
            best.append(number)
    rows = [
        [
            configuration_label({axis: str(trial.params[axis]) for axis in results.sweep.axes}),
            f"{trial.number}",
            f"{values[trial.number]:.4f}" if is_loss else percent(values[trial.number]),
        ]
        for trial in finished
        if trial.number in best
    ]
    heads = ["better than all before", "trial", "validation loss" if is_loss else "validation accuracy"]
    table = TextTable(heads, rows, highlighted=len(rows) - 1 if rows else None)
    plot = draw_search(values, best, is_loss=is_loss)
    return Section("The search", [_how(search), _outcomes(finished)], table, [plot])


def _how(search: Mapping[str, Any]) -> str:
    budget = [number_of(search["trials"], "trial")] if search["trials"] else []
    budget += [f"{search['minutes']:g} minutes"] if search["minutes"] else []
    aim = "smallest" if search["monitor"] == "val/loss" else "largest"
    return (
        f"Searched for the {aim} {search['monitor']} with the sampler {search['sampler']} (seed "
        f"{search['sampler_seed']}), {number_of(search['workers'], 'trial')} at a time; budget: {' or '.join(budget)}."
    )


def _outcomes(finished: Sequence[FrozenTrial]) -> str:
    errors = [trial.user_attrs["error"] for trial in finished if "error" in trial.user_attrs]
    failed = f"; {len(errors):,} failed, the first one: {errors[0]}" if errors else ""
    reused = sum("reused" in trial.user_attrs for trial in finished)
    known = f"; {reused:,} found their run in the folder" if reused else ""
    return f"{number_of(len(finished), 'trial')}{known}{failed}."
