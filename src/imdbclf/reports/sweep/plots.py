"""The plots of a sweep: effects, training curves, accuracy against size and time, and the trials of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from imdbclf.reports.figure import Plot, new_figure, rendered
from imdbclf.reports.history import EpochRow
from imdbclf.reports.labels import axis_labels, choice_label
from imdbclf.reports.sweep.analysis import Configuration, Effect

BEST, PLAIN = "#c2410c", "#94a3b8"
COLOURS = ("#0369a1", "#b7791f", "#15803d", "#7e22ce", "#0f766e", "#be185d")
"""For the values of one axis; an axis with more values is not coloured."""

Epochs = Mapping[str, Sequence[EpochRow]]
Curve = list[tuple[float, float]]
"""Epoch and value."""


@mpl.rc_context({"text.parse_math": False})
def draw_effects(effects: Sequence[Effect]) -> Plot:
    """A panel for each axis: differences from the first value with intervals, and a line for each seed."""
    labels = axis_labels(list(dict.fromkeys(effect.axis for effect in effects)))
    across = min(4, len(labels))
    down = -(-len(labels) // across)
    figure, panels = new_figure(3.2 * across, 3.1 * down, down, across, sharey=True)
    for (axis, label), panel in zip(labels.items(), panels.flat, strict=False):
        _draw_effects(panel, [effect for effect in effects if effect.axis == axis])
        # A key keeps its small letters.
        panel.set_title(label if "." in label else label[:1].upper() + label[1:], fontsize=11)
    for panel in panels.flat[len(labels) :]:
        panel.set_visible(False)
    for panel in panels[:, 0]:
        panel.set_ylabel("Accuracy difference (points)")
    alt = (
        f"Differences in validation accuracy from the first value of {', '.join(labels.values())}, with 95 % intervals."
    )
    return rendered(figure, "effects", alt)


def _draw_effects(panel: Axes, effects: Sequence[Effect]) -> None:
    positions = np.arange(len(effects) + 1, dtype=np.int64)
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


@mpl.rc_context({"text.parse_math": False})
def draw_curves(configurations: Sequence[Configuration], epochs: Epochs, effects: Sequence[Effect]) -> Plot | None:
    """Validation accuracy and loss by epoch, a line for each configuration (mean over its seeds), the best one thick.

    Different losses have panels of their own, since their values cannot be compared.
    """
    accuracies, losses = (
        [(one, curve) for one in configurations if (curve := mean_curve(one, epochs, metric))]
        for metric in ("val/accuracy", "val/loss")
    )
    if not accuracies:
        return None
    names = list(dict.fromkeys(one.loss for one, _ in losses))
    figure, panels = new_figure(3.9 * (1 + len(names)), 3.6, 1, 1 + len(names))
    first, *others = panels.flat
    # The axis of the largest effect whose values are few enough to have a colour each.
    axes = [effect.axis for effect in sorted(effects, key=lambda effect: -abs(effect.mean))]
    axis = next((axis for axis in axes if len({one.choices[axis] for one in configurations}) <= len(COLOURS)), None)
    values = dict.fromkeys(one.choices[axis] for one in configurations) if axis else {}
    colours = dict(zip(sorted(values), COLOURS, strict=False))
    lines = {one.label: colours[one.choices[axis]] if axis else PLAIN for one in configurations}
    lines[configurations[0].label] = BEST
    percentages = [(one, [(epoch, 100 * value) for epoch, value in curve]) for one, curve in accuracies]
    _draw_curves(first, percentages, lines)
    first.set_title("Validation accuracy (%)", fontsize=11)
    for name, panel in zip(names, others, strict=True):
        _draw_curves(panel, [(one, curve) for one, curve in losses if one.loss == name], lines)
        panel.set_title(f"Validation loss ({name})" if name else "Validation loss", fontsize=11)
    handles = first.plot([], [], color=BEST, linewidth=2.4, label=f"Best: {configurations[0].label}")
    for value, colour in colours.items():
        handles += first.plot([], [], color=colour, linewidth=1.2, label=choice_label(str(axis), value))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)), frameon=False, fontsize=9)
    alt = "Validation accuracy and loss by epoch, a line for each configuration, the best one highlighted."
    return rendered(figure, "curves", alt)


def mean_curve(configuration: Configuration, epochs: Epochs, metric: str) -> Curve:
    """The mean over the seeds, for the epochs that all of them reached: fewer seeds would make a jump."""
    by_seed = [
        {epoch["epoch"]: epoch[metric] for epoch in epochs.get(row.folder, ()) if metric in epoch}
        for row in configuration.by_seed.values()
    ]
    common = sorted(set.intersection(*map(set, by_seed))) if by_seed else []
    return [(epoch, float(np.mean([values[epoch] for values in by_seed]))) for epoch in common]


def _draw_curves(panel: Axes, curves: Sequence[tuple[Configuration, Curve]], colours: Mapping[str, str]) -> None:
    for one, curve in reversed(curves):
        is_best = colours[one.label] == BEST
        panel.plot(
            *zip(*curve, strict=True),
            color=colours[one.label],
            linewidth=2.4 if is_best else 0.9,
            alpha=1 if is_best else 0.55,
            marker="o" if len(curve) == 1 else None,
            zorder=3 if is_best else 2,
        )
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.set_xlabel("Epoch")


@mpl.rc_context({"text.parse_math": False})
def draw_cost(configurations: Sequence[Configuration]) -> Plot | None:
    """Validation accuracy against the number of parameters and against the seconds of the fit."""
    shown = [one for one in configurations if one.accuracies]
    if not shown:
        return None
    figure, ((first, second),) = new_figure(7.8, 3.4, 1, 2, sharey=True)
    _draw_cost(first, shown, "parameters")
    _draw_cost(second, shown, "fit_seconds")
    first.set(xlabel="Parameters", ylabel="Validation accuracy (%)")
    second.set_xlabel("Seconds per fit")
    return rendered(figure, "cost", "Validation accuracy against the number of parameters and the seconds per fit.")


def _draw_cost(panel: Axes, configurations: Sequence[Configuration], metric: str) -> None:
    for number, one in reversed(list(enumerate(configurations))):
        x, y, half = one.mean(metric), one.mean("val/accuracy"), one.half("val/accuracy")
        if x and y is not None:
            bar = None if half is None else 100 * half
            colour, size = (BEST, 7) if number == 0 else (PLAIN, 4)
            panel.errorbar(x, 100 * y, bar, fmt="o", color=colour, markersize=size, elinewidth=0.9, capsize=2)
    low, high = panel.get_xlim()
    panel.set_xscale("log")
    # Plain numbers, also where the axis does not span a power of ten.
    narrow = low > 0 and high / low < 10  # noqa: PLR2004 - one decade
    panel.xaxis.set_major_locator(MaxNLocator(3) if narrow else LogLocator())
    panel.xaxis.set_major_formatter(lambda value, _position: f"{value:,.6g}")
    panel.xaxis.set_minor_formatter(NullFormatter())


@mpl.rc_context({"text.parse_math": False})
def draw_search(values: Mapping[int, float], best: Sequence[int], *, is_loss: bool) -> Plot:
    """The values of a search's trials by their numbers; `best` has the numbers of those better than all before."""
    figure, ((panel,),) = new_figure(4.6, 3.4, 1, 1)
    shown = {number: value if is_loss else 100 * value for number, value in values.items()}
    if shown:
        panel.plot(list(shown), list(shown.values()), "o", color=PLAIN, markersize=4)
        heights = [shown[number] for number in [*best, best[-1]]]
        panel.step([*best, max(shown)], heights, where="post", color=BEST, linewidth=1.6)
        panel.legend(["Trial", "Best so far"], frameon=False, fontsize=9)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.set(xlabel="Trial", ylabel="Validation loss" if is_loss else "Validation accuracy (%)")
    return rendered(figure, "search", "Value by trial, and the best so far.")
