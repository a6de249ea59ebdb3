"""The plots of a sweep: effects, training curves, accuracy against size and time, and the trials of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from textwrap import wrap

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullLocator

from imdbclf.reports.figure import INK, PALE, TRAINING, VALIDATION, Plot, new_figure, rendered, styled
from imdbclf.reports.history import EpochRow
from imdbclf.reports.labels import axis_labels
from imdbclf.reports.sweep.analysis import Configuration, Effect

WIDTH = 7
MOST_PANELS, MOST_ACROSS = 40, 4
"""Training curves: panels of a plot, and of a row."""

ALIKE = 0.01
"""Costs that differ by less than this factor are in the same place of the plot."""

Epochs = Mapping[str, Sequence[EpochRow]]
Curve = list[tuple[float, float]]
"""Epoch and value."""


@styled
def draw_effects(effects: Sequence[Effect]) -> Plot:
    """A panel for each axis: differences from the first value with intervals, and a line for each seed."""
    labels = axis_labels(list(dict.fromkeys(effect.axis for effect in effects)))
    across = min(4, len(labels))
    down = -(-len(labels) // across)
    figure, panels = new_figure(WIDTH if across > 1 else 4, 2.6 * down, down, across, sharey=True)
    for (axis, label), panel in zip(labels.items(), panels.flat, strict=False):
        _draw_effects(panel, [effect for effect in effects if effect.axis == axis], 64 // across)
        # A key keeps its small letters.
        panel.set_title(label if "." in label else label[:1].upper() + label[1:])
    for panel in panels.flat[len(labels) :]:
        panel.set_visible(False)
    for panel in panels[:, 0]:
        panel.set_ylabel("Difference (points)")
    alt = (
        f"Differences in validation accuracy from the first value of {', '.join(labels.values())}, with 95 % intervals."
    )
    return rendered(figure, "effects", alt)


def _draw_effects(panel: Axes, effects: Sequence[Effect], letters: int) -> None:
    positions = np.arange(len(effects) + 1, dtype=np.int64)
    if len({(effect.unit, len(effect.differences)) for effect in effects}) == 1:
        each = np.array([effect.differences for effect in effects])
        lines = np.vstack([np.zeros(each.shape[1]), 100 * each])
        panel.plot(positions, lines, color=PALE, linewidth=0.8, alpha=0.5)
    panel.axhline(0, color=INK, linewidth=0.8)
    panel.plot(0, 0, "o", color=INK)
    for position, effect in enumerate(effects, start=1):
        bar = None if effect.half is None else 100 * effect.half
        colour = VALIDATION if effect.is_significant else INK
        panel.errorbar(position, 100 * effect.mean, bar, fmt="o", color=colour, zorder=3)
    values = [effects[0].reference, *(effect.value for effect in effects)]
    crowded = sum(map(len, values)) > letters
    panel.set_xticks(positions, values, rotation=40 if crowded else 0, ha="right" if crowded else "center")
    panel.set_xlim(-0.4, len(effects) + 0.4)


@styled
def draw_curves(configurations: Sequence[Configuration], epochs: Epochs) -> Plot | None:
    """A panel for each configuration: training and validation loss by epoch (means over its seeds), the gap shaded.

    Panels of the same loss have the same axes. The panels of a row differ in the last choices, if these are few.
    """
    shown = sorted(configurations[:MOST_PANELS], key=lambda one: [_sortable(value) for value in one.choices.values()])
    courses = {one.label: [mean_curve(one, epochs, metric) for metric in ("train/loss", "val/loss")] for one in shown}
    shown = [one for one in shown if all(courses[one.label])]
    if not shown:
        return None
    across = _across(shown)
    down = -(-len(shown) // across)
    figure, panels = new_figure(WIDTH if across > 1 else 4, 0.8 + 1.5 * down, down, across)
    tops = {
        loss: _top([courses[one.label] for one in shown if one.loss == loss]) for loss in {one.loss for one in shown}
    }
    last = max(courses[one.label][0][-1][0] for one in shown)
    for number, (panel, one) in enumerate(zip(panels.flat, shown, strict=False)):
        _draw_gap(panel, *courses[one.label])
        is_best = one is configurations[0] and len(configurations) > 1
        # Lines end at commas: other spaces do not break.
        title = wrap(one.label.replace(" ", "\xa0").replace(",\xa0", ", "), 104 // across)
        panel.set_title("\n".join(title), fontsize=8, fontweight="bold" if is_best else "normal")
        panel.set(xlim=(0.5, last + 0.5), ylim=(0, tops[one.loss]))
        is_first = number % across == 0 or one.loss != shown[number - 1].loss
        panel.tick_params(labelsize=8, labelleft=is_first, labelbottom=number + across >= len(shown))
    for panel in panels.flat[len(shown) :]:
        panel.set_visible(False)
    figure.supxlabel("Epoch")
    figure.supylabel("Loss")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    alt = "Training and validation loss by epoch, a panel for each configuration; the gap between them is shaded."
    return rendered(figure, "curves", alt)


def _sortable(value: str) -> tuple[float, str]:
    """Numbers by size, before texts."""
    try:
        return float(value), ""
    except ValueError:
        return np.inf, value


def _across(shown: Sequence[Configuration]) -> int:
    """How many panels a row has: all combinations of the last axes, if they are few and none is missing."""
    counts = [len(set(values)) for values in zip(*(one.choices.values() for one in shown), strict=True)]
    fitting = [each for each in np.cumprod(counts[::-1]) if 1 < each <= MOST_ACROSS]
    return int(fitting[-1]) if fitting and prod(counts) == len(shown) else min(MOST_ACROSS, len(shown))


def _top(courses: Sequence[Sequence[Curve]]) -> float:
    """Where the axis of losses ends; a network that diverged does not flatten the others."""
    largest = [max((loss for curve in both for _, loss in curve if np.isfinite(loss)), default=1.0) for both in courses]
    return 1.2 * min(max(largest), 3 * float(np.median(largest)))


def _draw_gap(panel: Axes, training: Curve, validation: Curve) -> None:
    both = sorted(dict(training).keys() & dict(validation).keys())
    lower, upper = ([dict(curve)[epoch] for epoch in both] for curve in (training, validation))
    panel.fill_between(
        both, lower, upper, color=PALE, alpha=0.3, linewidth=0, label="Gap, its size after the last epoch"
    )
    panel.plot(*zip(*training, strict=True), color=TRAINING, linestyle="--", label="Training loss")
    panel.plot(*zip(*validation, strict=True), color=VALIDATION, label="Validation loss")
    best = min(validation, key=lambda point: point[1])
    panel.plot(*best, "o", color=VALIDATION, label="Lowest validation loss")
    gap = f"gap {upper[-1] - lower[-1]:+.2f}".replace("-", "−")
    panel.text(0.98, 0.97, gap, fontsize=8, ha="right", va="top", transform=panel.transAxes)
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    panel.yaxis.set_major_locator(MaxNLocator(4))


def mean_curve(configuration: Configuration, epochs: Epochs, metric: str) -> Curve:
    """The mean over the seeds, for the epochs that all of them reached: fewer seeds would make a jump."""
    by_seed = [
        {epoch["epoch"]: epoch[metric] for epoch in epochs.get(row.folder, ()) if metric in epoch}
        for row in configuration.by_seed.values()
    ]
    common = sorted(set.intersection(*map(set, by_seed))) if by_seed else []
    return [(epoch, float(np.mean([values[epoch] for values in by_seed]))) for epoch in common]


@styled
def draw_cost(configurations: Sequence[Configuration]) -> Plot | None:
    """Validation accuracy against the number of parameters and against the seconds of the fit."""
    shown = [one for one in configurations if one.accuracies]
    if not shown:
        return None
    figure, panels = new_figure(WIDTH, 3.4, 1, 2, sharey=True)
    _draw_cost(panels[0, 0], shown, "parameters", "Parameters")
    _draw_cost(panels[0, 1], shown, "fit_seconds", "Seconds per fit")
    panels[0, 0].set_ylabel("Validation accuracy (%)")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center")
    return rendered(figure, "cost", "Validation accuracy against the number of parameters and the seconds per fit.")


def _draw_cost(panel: Axes, configurations: Sequence[Configuration], metric: str, label: str) -> None:
    shown = [(one, cost) for one in configurations if (cost := one.mean(metric))]
    places, alike = _beside(np.array([cost for _, cost in shown]))
    for (one, _), place in reversed(list(zip(shown, places, strict=True))):
        accuracy, half, is_best = one.mean("val/accuracy") or 0, one.half("val/accuracy"), one is configurations[0]
        look = {"color": VALIDATION, "markersize": 7, "label": f"Best: {one.label}"} if is_best else {"color": PALE}
        bar = None if half is None else 100 * half
        panel.errorbar(place, 100 * accuracy, bar, fmt="o", elinewidth=1, capsize=0, **look)
    low, high = panel.get_xlim()
    panel.set(xscale="log", xlabel=label)
    # Plain numbers, also where the axis does not span a power of ten.
    narrow = MaxNLocator(3) if high < 10 * low else LogLocator()
    panel.xaxis.set_major_locator(FixedLocator(alike) if len(alike) < MOST_ACROSS else narrow)
    panel.xaxis.set_major_formatter(lambda value, _position: f"{float(f'{value:.3g}'):,.12g}")
    panel.xaxis.set_minor_locator(NullLocator())


def _beside(costs: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], list[float]]:
    """Places of points: those of about the same cost are set apart, in their order; and the costs of such groups."""
    order = np.argsort(costs)
    apart = np.flatnonzero(np.diff(np.log(costs[order])) > ALIKE)
    groups = np.split(order, apart + 1) if len(costs) else []
    places = costs.copy()
    for group in groups:
        steps = np.arange(len(group), dtype=np.float64) - (len(group) - 1) / 2
        places[np.sort(group)] = costs[group].mean() * np.exp(0.03 * steps)
    return places, [float(costs[group].mean()) for group in groups]


@styled
def draw_search(values: Mapping[int, float], best: Sequence[int], *, is_loss: bool) -> Plot:
    """The values of a search's trials by their numbers; `best` has the numbers of those better than all before."""
    figure, ((panel,),) = new_figure(5, 3.2)
    shown = {number: value if is_loss else 100 * value for number, value in values.items()}
    if shown:
        panel.plot(list(shown), list(shown.values()), "o", color=PALE)
        heights = [shown[number] for number in [*best, best[-1]]]
        panel.step([*best, max(shown)], heights, where="post", color=VALIDATION)
        panel.legend(["Trial", "Best so far"])
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.set(xlabel="Trial", ylabel="Validation loss" if is_loss else "Validation accuracy (%)")
    return rendered(figure, "search", "Value by trial, and the best so far.")
