"""The section of a report about a search: how it was done, each new best trial, and which axes mattered."""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from imdbclf.folders.sweep import Sweep
from imdbclf.reports.labels import axis_labels, choice_label, number_of
from imdbclf.reports.sweep.plots import BEST, PLAIN, Plot, plain_panel, plot_of
from imdbclf.reports.sweep.sections import Section, SweepResults, TextTable

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    Valued = Sequence[tuple[FrozenTrial, float]]

ENOUGH_TRIALS = 10
"""With fewer trials, importances say more about the trials than about the axes."""


def search_section(results: SweepResults) -> Section | None:
    """How a search went; None for a grid, or if the journal or Optuna (an extra) is missing."""
    sweep, journal = results.sweep, results.folder.journal
    if "study" not in sweep.search or not journal.exists() or importlib.util.find_spec("optuna") is None:
        return None
    from optuna import get_all_study_names, load_study  # noqa: PLC0415

    from imdbclf.folders.journal import counted, open_journal  # noqa: PLC0415

    storage, name = open_journal(journal), sweep.search["study"]
    if name not in get_all_study_names(storage):
        return None
    study = load_study(study_name=name, storage=storage)
    finished = [trial for trial in counted(study) if trial.state.is_finished()]
    values = [(one, one.value) for one in finished if one.state.name == "COMPLETE" and one.value is not None]
    # A fit that diverged has an infinite loss.
    valued = [(trial, value) for trial, value in values if math.isfinite(value)]
    if not finished:
        return None
    is_loss = sweep.search["monitor"] == "val/loss"
    best = _new_bests(valued, is_loss=is_loss)
    text = [_how(sweep), _outcomes(finished), *_importances(study, valued, sweep.axes)]
    return Section(
        "The search", text, _table(best, sweep.axes, is_loss=is_loss), [_draw(valued, best, is_loss=is_loss)]
    )


def _how(sweep: Sweep) -> str:
    search = sweep.search
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


def _new_bests(done: Valued, *, is_loss: bool) -> list[tuple[FrozenTrial, float]]:
    best: list[tuple[FrozenTrial, float]] = []
    for trial, value in done:
        if not best or (value < best[-1][1] if is_loss else value > best[-1][1]):
            best.append((trial, value))
    return best


def _importances(study: Study, done: Valued, axes: Sequence[str]) -> list[str]:
    """A sentence, the most important axis first; none if there are too few trials or all have the same value."""
    if len(done) < ENOUGH_TRIALS or len({value for _, value in done}) == 1:
        return []
    from optuna.exceptions import ExperimentalWarning  # noqa: PLC0415
    from optuna.importance import get_param_importances  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        found = get_param_importances(study)
    labels = axis_labels(axes)
    shown = ", ".join(f"{labels[axis]} {100 * part:.0f} %" for axis, part in found.items() if math.isfinite(part))
    return [
        f"Importance of each axis for telling better trials from others: {shown} (PED-ANOVA, Watanabe, Bansal and "
        "Hutter, 2023; Optuna's default). The trials are not spread evenly, so this is a hint and not a test."
    ]


def _table(best: Valued, axes: Sequence[str], *, is_loss: bool) -> TextTable:
    heads = ["better than all before", "trial", "validation loss" if is_loss else "validation accuracy"]
    rows = [
        [
            ", ".join(choice_label(axis, str(trial.params[axis])) for axis in axes),
            f"{trial.number}",
            f"{value:.4f}" if is_loss else f"{100 * value:.2f} %",
        ]
        for trial, value in best
    ]
    return TextTable(heads, rows, highlighted=len(rows) - 1 if rows else None)


def _draw(done: Valued, best: Valued, *, is_loss: bool) -> Plot:
    figure = Figure(figsize=(4.6, 3.4), layout="constrained")
    panel, scale = figure.subplots(), 1 if is_loss else 100
    if done:
        numbers, values = [trial.number for trial, _ in best], [scale * value for _, value in best]
        panel.plot([trial.number for trial, _ in done], [scale * value for _, value in done], "o", color=PLAIN, ms=4)
        panel.step([*numbers, done[-1][0].number], [*values, values[-1]], where="post", color=BEST, linewidth=1.6)
        panel.legend(["Trial", "Best so far"], frameon=False, fontsize=9)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    plain_panel(panel, "Validation loss" if is_loss else "Validation accuracy (%)", "Trial")
    return plot_of(figure, "search", "Value by trial, and the best so far.")
