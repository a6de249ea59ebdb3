"""The part of a report that only a search has: how it went, trial by trial, and which axes mattered."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from imdbclf.folders.sweep import Sweep, SweepFolder
from imdbclf.reports.labels import axis_labels, choice_label, number_of
from imdbclf.reports.sweep.plots import BEST, PLAIN, Plot, plain_panel, plot_of
from imdbclf.reports.sweep.sections import Section, SweepResults, TextTable

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

ENOUGH_TRIALS = 10
"""Importances of fewer say more of the trials than of the axes."""

_PED_ANOVA = (
    "Importance: the share of each axis in telling the better trials from the others (PED-ANOVA, Watanabe, Bansal and "
    "Hutter, 2023; Optuna's default). The trials are not spread evenly, so it is a hint and no test."
)


def search_section(results: SweepResults) -> Section | None:
    """How a search went; None for a grid, or without the journal or Optuna."""
    sweep = results.sweep
    study = _study(results.folder, sweep)
    if study is None:
        return None
    trials = [trial for trial in study.get_trials(deepcopy=False) if "abandoned" not in trial.user_attrs]
    finished = [trial for trial in trials if trial.state.is_finished()]
    if not finished:
        return None
    labels = axis_labels(sweep.axes)
    is_loss = sweep.search["monitor"] == "val/loss"
    importances = _importances(study, trials)
    return Section(
        "The search",
        text=[_how(sweep), _outcomes(finished)],
        table=_improvements(finished, sweep.axes, is_loss=is_loss),
        plots=[_draw(finished, {labels[axis]: share for axis, share in importances.items()}, sweep)],
        notes=[
            "A row for each trial that was better than all before it.",
            *([_PED_ANOVA] if importances else []),
            *_without_job(trials),
        ],
    )


def _study(folder: SweepFolder, sweep: Sweep) -> Study | None:
    if "study" not in sweep.search or not folder.journal.exists():
        return None
    try:
        import optuna  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    from imdbclf.folders.journal import read_journal  # noqa: PLC0415

    try:
        return optuna.load_study(study_name=sweep.search["study"], storage=read_journal(folder.journal))
    except KeyError:
        return None


def _how(sweep: Sweep) -> str:
    """Sampler and budget in a sentence."""
    search = sweep.search
    budget = [number_of(search["trials"], "trial")] if search["trials"] else []
    budget += [f"{search['minutes']:g} minutes"] if search["minutes"] else []
    aim = "smallest" if search["monitor"] == "val/loss" else "largest"
    workers = search["workers"]
    at_once = "one trial at a time" if workers == 1 else f"{workers} trials at a time"
    return (
        f"Sought: the {aim} {search['monitor']}, with sampler {search['sampler']} (seed {search['sampler_seed']})"
        f", {at_once}, within {' or '.join(budget)}."
    )


def _outcomes(finished: Sequence[FrozenTrial]) -> str:
    names = [trial.state.name for trial in finished]
    parts = {"done": names.count("COMPLETE"), "failed": names.count("FAIL")}
    said = ", ".join(f"{count:,} {name}" for name, count in parts.items() if count)
    reused = sum("reused" in trial.user_attrs for trial in finished)
    known = f"; the run of {reused:,} was there already and was not computed again" if reused else ""
    return f"{number_of(len(finished), 'trial')}: {said}{known}."


def _improvements(finished: Sequence[FrozenTrial], axes: Sequence[str], *, is_loss: bool) -> TextTable:
    rows = []
    for trial, value in _better_and_better(finished, is_loss=is_loss):
        choices = ", ".join(choice_label(axis, str(trial.params[axis])) for axis in axes)
        rows.append([choices, f"{trial.number}", f"{value:.4f}" if is_loss else f"{100 * value:.2f} %"])
    heads = ["better than all before", "trial", "validation loss" if is_loss else "validation accuracy"]
    return TextTable(heads, rows, highlighted=len(rows) - 1 if rows else None)


def _better_and_better(finished: Sequence[FrozenTrial], *, is_loss: bool) -> list[tuple[FrozenTrial, float]]:
    found: list[tuple[FrozenTrial, float]] = []
    for trial in finished:
        value = _value(trial)
        if value is not None and (not found or (value < found[-1][1] if is_loss else value > found[-1][1])):
            found.append((trial, value))
    return found


def _value(trial: FrozenTrial) -> float | None:
    """What a trial that came to its end reached; None for others, and for fits that diverged."""
    is_done = trial.state.name == "COMPLETE" and trial.value is not None and math.isfinite(trial.value)
    return trial.value if is_done else None


def _without_job(trials: Sequence[FrozenTrial]) -> list[str]:
    reasons = [trial.user_attrs.get("error", "") for trial in trials if _is_invalid(trial)]
    if not reasons:
        return []
    return [f"{number_of(len(reasons), 'trial')} asked for a combination that is none: {reasons[0]}"]


def _is_invalid(trial: FrozenTrial) -> bool:
    return trial.state.name == "FAIL" and "job" not in trial.user_attrs


def _importances(study: Study, trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """Shares that add up to 1, the largest first; none where there are too few trials or they are all alike."""
    values = {value for trial in trials if (value := _value(trial)) is not None}
    done = sum(_value(trial) is not None for trial in trials)
    if done < ENOUGH_TRIALS or len(values) == 1:
        return {}
    import optuna  # noqa: PLC0415 - an extra

    with warnings.catch_warnings():
        # PED-ANOVA is marked as experimental; the note under the table says what it is.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        found = optuna.importance.get_param_importances(study)
    return {axis: share for axis, share in found.items() if math.isfinite(share)}


def _draw(finished: Sequence[FrozenTrial], importances: dict[str, float], sweep: Sweep) -> Plot:
    panels = 2 if importances else 1
    figure = Figure(figsize=(4.6 * panels, 3.4), layout="constrained")
    axes: Any = figure.subplots(1, panels, squeeze=False)[0]
    _draw_history(axes[0], finished, sweep.search["monitor"])
    if importances:
        names = list(importances)[::-1]
        axes[1].barh(names, [100 * importances[name] for name in names], color=PLAIN)
        plain_panel(axes[1], "Importance (%)")
    alt = "Value by trial and the best so far" + (", and the importance of each axis." if importances else ".")
    return plot_of(figure, "search", alt)


def _draw_history(panel: Axes, finished: Sequence[FrozenTrial], monitor: str) -> None:
    is_loss = monitor == "val/loss"
    scale = 1 if is_loss else 100
    done = [(trial.number, scale * value) for trial in finished if (value := _value(trial)) is not None]
    best = [(trial.number, scale * value) for trial, value in _better_and_better(finished, is_loss=is_loss)]
    if done:
        panel.plot(*zip(*done, strict=True), "o", color=PLAIN, markersize=4, label="Trial")
        numbers, values = zip(*best, (finished[-1].number, best[-1][1]), strict=True)
        panel.step(numbers, values, where="post", color=BEST, linewidth=1.6, label="Best so far")
    plain_panel(panel, "Validation loss" if is_loss else "Validation accuracy (%)", "Trial")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    if done:
        panel.legend(frameon=False, fontsize=9)
