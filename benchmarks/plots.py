"""The plots of docs/: each a function from what was measured to a Matplotlib figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import mean, median
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import StrMethodFormatter

from benchmarks.rows import ROWS, Results
from benchmarks.rungs import PEERS, PUBLISHED, RUNGS, Ladder
from benchmarks.scaling import Quantity, Scaling
from imdbclf.reports.statistics import half_width

BLUE, BLACK, RED, BROWN, GREY = "#2563eb", "#111827", "#dc2626", "#b45309", "#6b7280"
FONT_SIZE, SMALL = 9, 7.5
BELOW = [rung.name for rung in RUNGS if rung.label == "below"]
Point = tuple[float, float]
Values = npt.NDArray[np.float64]
TIMES: dict[str, tuple[Sequence[Quantity], str]] = {
    "encoding": (["encode_seconds"], "o"),
    "preparing and one epoch": (["prepare_seconds", "epoch_seconds"], "s"),
}


def benchmarks(results: Results) -> Figure:
    """The ratios of the rows and, where measured, time and memory of the growing corpus."""
    panels = 3 if results.scaling else 1
    figure = Figure(figsize=(4.5 * panels + 1.5, 4.6), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    _ratios(axes[0], results)
    if results.scaling:
        _times(axes[1], results.scaling)
        _memory(axes[2], results.scaling)
    return figure


def _ratios(axes: Axes, results: Results) -> None:
    """How many times as fast, or as small, ours is, with the required bound."""
    drawn = [name for name in reversed(results.rows) if ROWS[name].kind in {"times_less", "reported"}]
    for place, name in enumerate(drawn):
        value, bound = results.value(name), ROWS[name].required
        axes.barh(place, value, color=RED if ROWS[name].conclusion(value) == "MISSED" else BLUE, height=0.6)
        if bound is not None:
            axes.plot([bound, bound], [place - 0.4, place + 0.4], color=BLACK, linewidth=2)
        axes.text(max(value, bound or 0), place, f"  {value:.1f}×", va="center", fontsize=FONT_SIZE)
    axes.set_yticks(range(len(drawn)), drawn, fontsize=FONT_SIZE)
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.margins(x=0.15)
    axes.set_title("peer / ours (black: required)")


def _times(axes: Axes, scaling: Scaling) -> None:
    sizes = [size.reviews for size in scaling.sizes]
    for label, (quantities, marker) in TIMES.items():
        line = scaling.line(*quantities)
        (drawn,) = axes.plot(sizes, [line(n) for n in sizes], linewidth=1)
        seconds = [size.median(*quantities) for size in scaling.sizes]
        axes.plot(sizes, seconds, marker, color=drawn.get_color(), label=label)
    axes.set(yscale="log", ylabel="seconds", title="a growing corpus: time and the straight line")
    axes.legend()
    _reviews_axis(axes, sizes)


def _memory(axes: Axes, scaling: Scaling) -> None:
    sizes, peaks = [size.reviews for size in scaling.sizes], [size.median("private_mb") for size in scaling.sizes]
    axes.plot(sizes, peaks, "o-")
    axes.set(ylim=(0, 1.2 * max(peaks)), ylabel="MB", title="peak private memory in training")
    _reviews_axis(axes, sizes)


def _reviews_axis(axes: Axes, sizes: list[int]) -> None:
    """A logarithmic axis of reviews with a tick at each measured size."""
    axes.set(xscale="log", xlabel="reviews")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.set_xticks([], minor=True)


def performance(profile: dict[str, dict[str, Any]]) -> Figure:
    """The command by phase, a step by part, and how a step grows."""
    figure = Figure(figsize=(13, 4), layout="constrained")
    whole, step, growth = figure.subplots(1, 3)
    for axes, parts, unit in ((whole, profile["phases"], "seconds"), (step, profile["step"], "microseconds")):
        names = list(parts)[::-1]
        bars = axes.barh([name.split(":")[0].split(" (")[0] for name in names], [parts[name] for name in names])
        axes.bar_label(bars, fmt="%.2f" if unit == "seconds" else "%.0f", padding=2)
        axes.margins(x=0.15)
        axes.set_xlabel(unit)
    whole.set_title("the command, nothing to encode")
    step.set_title("a training step")
    for name, sizes in profile["growth"].items():
        first = next(iter(sizes))
        growth.plot([int(n) / int(first) for n in sizes], list(sizes.values()), "o-", label=f"{name} (1 = {first})")
    growth.set(xscale="log", yscale="log", xlabel="multiple", ylabel="microseconds", title="a step grows with")
    growth.legend()
    return figure


SPLITS = {"null": ("random split", RED), "film": ("films kept together", BLUE)}
PARTS = {"val": "validation", "test": "test"}


def validation(found: dict[str, Any]) -> Figure:
    """Validation beside test accuracy, a line for each seed, with mean and 95 % interval; one panel for each split."""
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    for axes, (split, (words, colour)) in zip(
        figure.subplots(1, len(SPLITS), sharey=True), SPLITS.items(), strict=True
    ):
        both = 100 * np.array([found["accuracy"][split][part] for part in PARTS])
        axes.plot([0, 1], both, "o-", color=colour, alpha=0.35, markersize=4, linewidth=1)
        halves = [half_width(values) or 0 for values in both]
        places = np.array([-0.12, 1.12])
        axes.errorbar(places, both.mean(axis=1), halves, fmt="D", color=colour, capsize=4, markersize=6)
        axes.set(title=words, xticks=[0, 1], xticklabels=PARTS.values(), xlim=(-0.4, 1.4))
        axes.grid(axis="y", alpha=0.25)
    figure.axes[0].set_ylabel("accuracy, %")
    seeds = len(found["accuracy"]["null"]["val"])
    figure.supxlabel(f"one line per seed; diamonds: mean and 95 % interval over {seeds} seeds", fontsize=FONT_SIZE)
    return figure


OPTIONS = {
    "lecture_final": ("the lecture's final fit", RED),
    "keras": ("the same in Keras", BROWN),
    "early_stopping": ("best of 20 epochs, 15,000 reviews", GREY),
    "smaller_steps": ("half the rate, twice the epochs", GREY),
    "averaged": ("average of the last weights", BLUE),
}


def seeds(found: dict[str, Any]) -> Figure:
    """A row of dots for each option, one dot for each seed; beside it, the mean with its interval, and the median."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    for place, (name, (_, colour)) in enumerate(reversed(OPTIONS.items())):
        values = 100 * np.array(found["options"][name]["test/accuracy"])
        axes.plot(values, place + _beside(values), "o", color=colour, markersize=5, alpha=0.55, markeredgewidth=0)
        axes.errorbar(
            values.mean(), place - 0.3, xerr=half_width(values), fmt="D", color=colour, capsize=3, markersize=5
        )
        axes.plot([np.median(values)] * 2, [place - 0.42, place - 0.18], color=BLACK, linewidth=1.6)
    counts = [len(found["options"][name]["test/accuracy"]) for name in OPTIONS]
    labels = [f"{words}\n{count} seeds" for (words, _), count in zip(OPTIONS.values(), counts, strict=True)]
    axes.set_yticks(range(len(OPTIONS)), labels[::-1], fontsize=FONT_SIZE)
    axes.set(xlabel="test accuracy, %", ylim=(-0.6, len(OPTIONS) - 0.4))
    axes.grid(axis="x", alpha=0.25)
    figure.supxlabel("dots: seeds; diamonds: mean and 95 % interval; black lines: medians", fontsize=FONT_SIZE)
    return figure


def _beside(values: Values, width: float = 0.06) -> Values:
    """Heights that set dots apart that are less than `width` from each other."""
    heights = np.zeros(len(values))
    order = np.argsort(values)
    for rank, k in enumerate(order):
        near = [heights[j] for j in order[:rank] if values[k] - values[j] < width]
        heights[k] = next(height for height in 0.11 * np.arange(len(values)) if height not in near)
    return heights


def swing(steps: dict[str, list[list[float]]]) -> Figure:
    """Accuracy by step of the last epoch, a line for each seed, and against the fraction classified as positive."""
    accuracy, positive = (100 * np.array(steps[name]) for name in ("accuracy", "positive"))
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    by_step, by_fraction = figure.subplots(1, 2, sharey=True)
    worst, best = accuracy[:, -1].argmin(), accuracy[:, -1].argmax()
    numbers = np.arange(1, accuracy.shape[1] + 1)
    by_step.plot(numbers, accuracy.T, color=GREY, linewidth=0.6, alpha=0.3)
    by_fraction.plot(positive.ravel(), accuracy.ravel(), "o", color=GREY, markersize=2.5, alpha=0.35, markeredgewidth=0)
    for seed, colour, words in ((worst, RED, "ends lowest"), (best, BLUE, "ends highest")):
        by_step.plot(numbers, accuracy[seed], color=colour, linewidth=1.4, label=f"seed {seed}, which {words}")
        by_step.plot(numbers[-1], accuracy[seed, -1], "o", color=colour, markersize=7)
    by_fraction.plot(positive[:, -1], accuracy[:, -1], "o", color=BLACK, markersize=5, label="last step of a seed")
    by_step.set(xlabel="step of the last epoch", ylabel="test accuracy, %", ylim=(85, 89.6))
    by_fraction.set(xlabel="test reviews classified as positive, %", xlim=(38, 62))
    for axes in (by_step, by_fraction):
        axes.legend(frameon=False, loc="lower center", fontsize=FONT_SIZE)
        axes.grid(alpha=0.2)
    return figure


def ladder(found: Ladder) -> Figure:
    """Our rungs as a line, peers as points, papers as horizontal lines."""
    figure = Figure(figsize=(9, 6.2), layout="constrained")
    axes = figure.subplots()
    ours, peers = _rung_points(found), _peer_points(found)
    # A rung that is compared with another than the one below is beside the line.
    upwards = [ours[rung.name] for rung in RUNGS if rung.name in ours and rung.beside is None]
    axes.plot(*zip(*ours.values(), strict=True), "o", color=BLUE, markersize=5)
    axes.plot(*zip(*upwards, strict=True), "o-", color=BLUE, markersize=5, linewidth=1.2, label="this project")
    if peers:
        axes.plot(*zip(*peers.values(), strict=True), "D", color=BROWN, markersize=5, label="peers, run here")
    axes.set(xscale="log", xlabel="seconds of one run, start to exit", ylabel="test accuracy, %")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.margins(x=0.12, y=0.08)
    axes.grid(alpha=0.2, which="both", axis="x")
    for name, accuracy in PUBLISHED.items():
        axes.axhline(100 * accuracy, color=GREY, linewidth=0.8, linestyle="--")
        place, at = (0.005, 100 * accuracy + 0.05), axes.get_yaxis_transform()
        axes.text(*place, f"{name} (published)", transform=at, fontsize=SMALL, color=GREY)
    axes.legend(frameon=False, loc="lower right", fontsize=9)
    for named, colour in ((ours, BLUE), (peers, BROWN)):
        for name, point in named.items():
            offset = (7, -11 if name in BELOW else 6)
            text = axes.annotate(name, point, offset, textcoords="offset points", fontsize=SMALL, color=colour)
            text.set_path_effects([withStroke(linewidth=3, foreground="white")])
    return figure


def _rung_points(found: Ladder) -> dict[str, Point]:
    """Seconds, and mean accuracy in per cent, of the rungs for which both were measured."""
    names = [rung.name for rung in RUNGS if rung.name in found["rungs"] and rung.name in found["runs"]]
    return {name: (found["runs"][name]["seconds"], 100 * mean(found["rungs"][name]["test/accuracy"])) for name in names}


def _peer_points(found: Ladder) -> dict[str, Point]:
    seen = {peer.name: found["peers"][peer.name] for peer in PEERS if peer.name in found["peers"]}
    return {name: (median(each["seconds"]), 100 * mean(each["accuracy"])) for name, each in seen.items()}


PLOTS: dict[str, Callable[[Any], Figure]] = {
    "benchmarks": benchmarks,
    "ladder": ladder,
    "performance": performance,
    "seeds": seeds,
    "swing": swing,
    "validation": validation,
}
"""By the name of the plot; search.png is of a measurement that is not repeated."""
