"""The plots of a sweep: effects, courses, and accuracy against size and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from imdbclf.reports.history import EpochRow
from imdbclf.reports.labels import axis_labels, choice_label
from imdbclf.reports.sweep.configurations import Configuration
from imdbclf.reports.sweep.effects import Effect
from imdbclf.reports.sweep.sections import Plot, plot_of

BEST, PLAIN = "#c2410c", "#94a3b8"
COLOURS = ("#0369a1", "#b7791f", "#15803d", "#7e22ce", "#0f766e", "#be185d")
"""For the values of one axis; an axis with more values is not coloured."""

PANELS = 4
"""Panels in a row."""

Epochs = Mapping[str, Sequence[EpochRow]]


def draw_effects(effects: Sequence[Effect]) -> Plot | None:
    """A panel an axis: the difference of each value from the first, with its interval, and each seed on its own."""
    axes_names = list(dict.fromkeys(effect.axis for effect in effects))
    if not axes_names:
        return None
    labels = axis_labels(axes_names)
    across = min(PANELS, len(axes_names))
    down = -(-len(axes_names) // across)
    figure = Figure(figsize=(3.2 * across, 3.1 * down), layout="constrained")
    panels = figure.subplots(down, across, sharey=True, squeeze=False)
    for axis, panel in zip(axes_names, panels.flat, strict=False):
        _draw_effects(panel, [effect for effect in effects if effect.axis == axis])
        panel.set_title(labels[axis], fontsize=11)
    for panel in panels.flat[len(axes_names) :]:
        panel.set_visible(False)
    for panel in panels[:, 0]:
        panel.set_ylabel("accuracy, points")
    alt = (
        f"Differences in validation accuracy from the first value of {', '.join(labels.values())}, with 95 % intervals."
    )
    return plot_of(figure, "effects", alt)


def _draw_effects(panel: Axes, effects: Sequence[Effect]) -> None:
    positions = np.arange(len(effects) + 1)
    if len({(effect.unit, len(effect.differences)) for effect in effects}) == 1:
        each = np.array([effect.differences for effect in effects])
        lines = np.vstack([np.zeros(each.shape[1]), 100 * each])
        panel.plot(positions, lines, color=PLAIN, linewidth=0.8, alpha=0.6)
    panel.axhline(0, color="black", linewidth=0.8)
    panel.plot(0, 0, "o", color="black", markersize=5)
    for position, effect in enumerate(effects, start=1):
        bar = None if effect.half is None else 100 * effect.half
        colour = BEST if effect.is_significant else "black"
        panel.errorbar(position, 100 * effect.mean, bar, fmt="o", color=colour, markersize=5, capsize=4, zorder=3)
    values = [effects[0].reference, *(effect.value for effect in effects)]
    crowded = sum(map(len, values)) > 28  # noqa: PLR2004 - letters that fit under a panel
    panel.set_xticks(positions, values, rotation=40 if crowded else 0, ha="right" if crowded else "center")
    panel.set_xlim(-0.4, len(effects) + 0.4)
    _plain(panel)


def draw_curves(configurations: Sequence[Configuration], epochs: Epochs, effects: Sequence[Effect]) -> Plot | None:
    """Validation accuracy and loss by epoch, a line a configuration (mean over its seeds), the best one thick.

    Losses of different names have panels of their own, since they can't be compared.
    """
    courses = {
        quantity: [(one, course) for one in configurations if (course := mean_course(one, epochs, quantity))]
        for quantity in ("val/accuracy", "val/loss")
    }
    if not courses["val/accuracy"]:
        return None
    losses = list(dict.fromkeys(one.loss for one, _ in courses["val/loss"]))
    figure = Figure(figsize=(3.9 * (1 + len(losses)), 3.6), layout="constrained")
    first, *others = figure.subplots(1, 1 + len(losses), squeeze=False).flat
    axis = _coloured_axis(configurations, effects)
    colours = _colours(configurations, axis)
    _draw_courses(first, courses["val/accuracy"], configurations[0], colours, "validation accuracy, %", 100)
    for loss, panel in zip(losses, others, strict=True):
        of_loss = [(one, course) for one, course in courses["val/loss"] if one.loss == loss]
        name = f"validation loss ({loss})" if loss else "validation loss"
        _draw_courses(panel, of_loss, configurations[0], colours, name, 1)
    _legend(figure, configurations, axis, colours)
    alt = "Validation accuracy and loss by epoch, a line a configuration, the best one highlighted."
    return plot_of(figure, "curves", alt)


def mean_course(configuration: Configuration, epochs: Epochs, quantity: str) -> list[tuple[float, float]]:
    """Epoch and mean over the seeds, for the epochs that all of them reached: fewer seeds would make a jump."""
    by_seed = [
        {epoch["epoch"]: epoch[quantity] for epoch in epochs.get(row.folder, ()) if quantity in epoch}
        for row in configuration.by_seed.values()
    ]
    common = sorted(set.intersection(*map(set, by_seed))) if by_seed else []
    return [(epoch, float(np.mean([course[epoch] for course in by_seed]))) for epoch in common]


def _coloured_axis(configurations: Sequence[Configuration], effects: Sequence[Effect]) -> str | None:
    """The axis that changes most, if its values are few enough to be told by their colours."""
    for effect in sorted(effects, key=lambda effect: -abs(effect.mean)):
        if len({one.choices[effect.axis] for one in configurations}) <= len(COLOURS):
            return effect.axis
    return None


def _colours(configurations: Sequence[Configuration], axis: str | None) -> dict[str, str]:
    """A colour for each configuration by its label."""
    if axis is None:
        return {one.label: PLAIN for one in configurations}
    values = sorted({one.choices[axis] for one in configurations})
    return {one.label: COLOURS[values.index(one.choices[axis])] for one in configurations}


def _draw_courses(
    panel: Axes,
    courses: Sequence[tuple[Configuration, list[tuple[float, float]]]],
    best: Configuration,
    colours: Mapping[str, str],
    name: str,
    scale: float,
) -> None:
    for one, course in reversed(courses):
        numbers, values = zip(*course, strict=True)
        is_best = one is best
        panel.plot(
            numbers,
            scale * np.array(values),
            color=BEST if is_best else colours[one.label],
            linewidth=2.4 if is_best else 0.9,
            alpha=1 if is_best else 0.55,
            marker="o" if len(course) == 1 else None,
            zorder=3 if is_best else 2,
        )
    panel.set(xlabel="epoch", title=name)
    panel.title.set_fontsize(11)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    _plain(panel)


def _legend(
    figure: Figure, configurations: Sequence[Configuration], axis: str | None, colours: Mapping[str, str]
) -> None:

    panel = figure.axes[0]
    handles = [panel.plot([], [], color=BEST, linewidth=2.4, label=f"best: {configurations[0].label}")[0]]
    if axis is not None:
        for value in dict.fromkeys(one.choices[axis] for one in configurations):
            colour = next(colours[one.label] for one in configurations if one.choices[axis] == value)
            handles += panel.plot([], [], color=colour, linewidth=1.2, label=choice_label(axis, value))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)), frameon=False, fontsize=9)


def draw_cost(configurations: Sequence[Configuration]) -> Plot | None:
    """Validation accuracy against the number of parameters and against the seconds of the fit."""
    shown = [one for one in configurations if one.accuracies]
    if not shown:
        return None
    figure = Figure(figsize=(7.8, 3.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for panel, quantity, name in zip(
        panels, ("parameters", "fit_seconds"), ("parameters", "seconds a fit"), strict=True
    ):
        _draw_cost(panel, shown, quantity)
        panel.set_xlabel(name)
    panels[0].set_ylabel("validation accuracy, %")
    return plot_of(figure, "cost", "Validation accuracy against the number of parameters and the seconds of a fit.")


def _draw_cost(panel: Axes, configurations: Sequence[Configuration], quantity: str) -> None:
    for number, one in reversed(list(enumerate(configurations))):
        x, y, half = one.mean(quantity), one.mean("val/accuracy"), one.half("val/accuracy")
        if x and y is not None:
            bar = None if half is None else 100 * half
            colour, size = (BEST, 7) if number == 0 else (PLAIN, 4)
            panel.errorbar(x, 100 * y, bar, fmt="o", color=colour, markersize=size, elinewidth=0.9, capsize=2)
    _logarithmic(panel)
    _plain(panel)


def _logarithmic(panel: Axes) -> None:
    """A logarithmic axis with plain numbers, also where it spans too little for a power of ten."""
    low, high = panel.get_xlim()
    panel.set_xscale("log")
    narrow = low > 0 and high / low < 10  # noqa: PLR2004 - one decade
    panel.xaxis.set_major_locator(MaxNLocator(3) if narrow else LogLocator())
    panel.xaxis.set_major_formatter(lambda value, _position: f"{value:,.6g}")
    panel.xaxis.set_minor_formatter(NullFormatter())


def _plain(panel: Axes) -> None:
    panel.grid(alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)
