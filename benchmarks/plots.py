"""The plots of docs/: each a function from what was measured to a Matplotlib figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import mean, median
from textwrap import wrap
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from benchmarks.rows import ROWS, Results
from benchmarks.rungs import PEERS, PUBLISHED, RUNGS, Ladder
from benchmarks.scaling import Quantity, Scaling
from imdbclf.reports.figure import ACCENT, GREY, INK, NETWORK, PALE, THOUSANDS, VALIDATION, new_figure, styled
from imdbclf.reports.statistics import half_width

SMALL = 8
BELOW = [rung.name for rung in RUNGS if rung.label == "below"]
Point = tuple[float, float]
Values = npt.NDArray[np.float64]
TIMES: dict[str, tuple[Sequence[Quantity], str]] = {
    "Encoding": (["encode_seconds"], "o"),
    "Preparing and one epoch": (["prepare_seconds", "epoch_seconds"], "s"),
}


@styled
def benchmarks(results: Results) -> Figure:
    """The ratios of the rows and, where measured, time and memory of the growing corpus."""
    heights = [4, 2.2, 2.2] if results.scaling else [4]
    figure, panels = new_figure(6.4, sum(heights), len(heights), height_ratios=heights)
    _ratios(panels[0, 0], results)
    if results.scaling:
        _times(panels[1, 0], results.scaling)
        _memory(panels[2, 0], results.scaling)
    return figure


def _ratios(axes: Axes, results: Results) -> None:
    """How many times as fast, or as small, ours is, with the required bound."""
    drawn = [name for name in reversed(results.rows) if ROWS[name].kind in {"times_less", "reported"}]
    for place, name in enumerate(drawn):
        value, bound = results.value(name), ROWS[name].required
        missed = ROWS[name].conclusion(value) == "MISSED"
        axes.barh(place, value, color=ACCENT if missed else GREY, height=0.6)
        if bound is not None:
            axes.plot([bound, bound], [place - 0.4, place + 0.4], color=INK, linewidth=2.5)
        axes.text(max(value, bound or 0), place, f" {value:.1f} ×", va="center", fontsize="small")
    axes.set_yticks(range(len(drawn)), [ROWS[name].short for name in drawn])
    axes.axvline(1, color=INK, linewidth=0.8)
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Peer's seconds or megabytes divided by ours\n(black: required)")


def _times(axes: Axes, scaling: Scaling) -> None:
    sizes = [size.reviews for size in scaling.sizes]
    for label, (quantities, marker) in TIMES.items():
        line = scaling.line(*quantities)
        (drawn,) = axes.plot(sizes, [line(n) for n in sizes], linewidth=1)
        seconds = [size.median(*quantities) for size in scaling.sizes]
        axes.plot(sizes, seconds, marker, color=drawn.get_color(), label=label)
    axes.set(yscale="log", ylabel="Seconds", title="A growing corpus: time, and the straight line")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.legend()
    _reviews_axis(axes, sizes)


def _memory(axes: Axes, scaling: Scaling) -> None:
    sizes, peaks = [size.reviews for size in scaling.sizes], [size.median("private_mb") for size in scaling.sizes]
    axes.plot(sizes, peaks, "o-")
    axes.set(ylim=(0, 1.2 * max(peaks)), ylabel="MB", title="A growing corpus: peak private memory in training")
    _reviews_axis(axes, sizes)


def _reviews_axis(axes: Axes, sizes: list[int]) -> None:
    """A logarithmic axis of reviews with a tick at each measured size."""
    axes.set(xscale="log", xlabel="Reviews")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes], fontsize="small")
    axes.set_xticks([], minor=True)


@styled
def performance(profile: dict[str, dict[str, Any]]) -> Figure:
    """The command by phase, a step by part, and how a step grows."""
    figure, ((whole,), (step,), (growth,)) = new_figure(6.4, 7.6, 3, 1, height_ratios=[1, 1, 1.2])
    for axes, parts, unit in ((whole, profile["phases"], "Seconds"), (step, profile["step"], "Microseconds")):
        names = [_sentence(name.split(":")[0].split(" (")[0]) for name in reversed(parts)]
        bars = axes.barh(
            ["\n".join(wrap(name, 30)) for name in names], list(parts.values())[::-1], height=0.6, color=GREY
        )
        axes.bar_label(bars, fmt="%.2f" if unit == "Seconds" else "%.0f", padding=3, fontsize="small")
        axes.margins(x=0.12)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(unit)
    whole.set_title("The command, nothing to encode")
    step.set_title("A training step")
    for name, sizes in profile["growth"].items():
        first = int(next(iter(sizes)))
        label = f"{_sentence(name)} (1 × = {first:,})"
        growth.plot([int(n) / first for n in sizes], list(sizes.values()), "o-", label=label)
    growth.set(xscale="log", yscale="log", xlabel="Multiple", ylabel="Microseconds", title="How a step grows")
    growth.xaxis.set_major_formatter("{x:g} ×")
    growth.yaxis.set_major_formatter(THOUSANDS)
    growth.legend(loc="upper left")
    return figure


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


SPLITS = {"null": "Random split", "film": "Films kept together"}
PARTS = {"val": ("Validation", VALIDATION), "test": ("Test", NETWORK)}


@styled
def validation(found: dict[str, Any]) -> Figure:
    """Validation beside test accuracy, a line for each seed, with mean and 95 % interval; one panel for each split."""
    figure, (panels,) = new_figure(6.4, 3.6, 1, 2, sharey=True)
    for axes, (split, words) in zip(panels, SPLITS.items(), strict=True):
        both = 100 * np.array([found["accuracy"][split][part] for part in PARTS])
        axes.plot([0, 1], both, color=PALE, linewidth=1)
        for place, values, (_, colour) in zip([0, 1], both, PARTS.values(), strict=True):
            axes.plot([place] * len(values), values, "o", color=colour, alpha=0.5, markeredgewidth=0)
            beside = place + 0.15 * (2 * place - 1)
            axes.errorbar(beside, values.mean(), half_width(values), fmt="D", color=colour)
        axes.set(title=words, xticks=[0, 1], xticklabels=[name for name, _ in PARTS.values()], xlim=(-0.4, 1.4))
        axes.grid(visible=False, axis="x")
    panels[0].set_ylabel("Accuracy (%)")
    seeds = len(found["accuracy"]["null"]["val"])
    figure.supxlabel(f"Dots: {seeds} seeds. Diamonds: mean and 95 % interval", fontsize="small")
    return figure


@styled
def search(found: dict[str, Any]) -> Figure:
    """The best validation accuracy so far by trial, mean and middle half of the searches; the best of the grid."""
    figure, ((axes,),) = new_figure(6.4, 3.6)
    looks = (("tpe", "TPE", ACCENT, "o-"), ("random", "Random search", GREY, "s--"))
    for sampler, words, colour, form in looks:
        best = 100 * np.maximum.accumulate(found["searches"][sampler], axis=1)
        trials = np.arange(1, best.shape[1] + 1)
        axes.fill_between(trials, *np.quantile(best, [0.25, 0.75], axis=0), color=colour, alpha=0.2, linewidth=0)
        axes.plot(trials, best.mean(axis=0), form, color=colour, label=f"{words}, {len(best)} searches", markersize=4)
    axes.axhline(100 * max(found["grid"]), color=INK, linestyle=":", label="Best of the grid")
    axes.set(xlabel="Trials", ylabel="Best validation accuracy so far (%)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="lower right")
    return figure


OPTIONS = {
    "lecture_final": ("The lecture's final fit", NETWORK),
    "keras": ("The same in Keras", GREY),
    "early_stopping": ("Best of 20 epochs,\n15,000 reviews", NETWORK),
    "smaller_steps": ("Half the rate,\ntwice the epochs", NETWORK),
    "averaged": ("Average of the\nlast weights", NETWORK),
}


@styled
def seeds(found: dict[str, Any]) -> Figure:
    """A row of dots for each option, one dot for each seed; beside it, the mean with its interval, and the median."""
    figure, ((axes,),) = new_figure(6.8, 4.4)
    for place, (name, (_, colour)) in enumerate(reversed(OPTIONS.items())):
        values = 100 * np.array(found["options"][name]["test/accuracy"])
        axes.plot(values, place + _beside(values), "o", color=colour, alpha=0.5, markeredgewidth=0)
        axes.errorbar(values.mean(), place - 0.27, xerr=half_width(values), fmt="D", color=colour)
        axes.plot([np.median(values)] * 2, [place - 0.38, place - 0.16], color=INK)
    counts = [len(found["options"][name]["test/accuracy"]) for name in OPTIONS]
    labels = [f"{words}\n({count} seeds)" for (words, _), count in zip(OPTIONS.values(), counts, strict=True)]
    axes.set_yticks(range(len(OPTIONS)), labels[::-1])
    axes.set(xlabel="Test accuracy (%)", ylim=(-0.6, len(OPTIONS) - 0.4))
    axes.grid(visible=False, axis="y")
    figure.supxlabel("Dots: seeds. Diamonds: mean and 95 % interval. Black lines: medians", fontsize="small")
    return figure


def _beside(values: Values, width: float = 0.06) -> Values:
    """Heights that set dots apart that are less than `width` from each other."""
    heights = np.zeros(len(values))
    order = np.argsort(values)
    for rank, k in enumerate(order):
        near = [heights[j] for j in order[:rank] if values[k] - values[j] < width]
        heights[k] = next(height for height in 0.11 * np.arange(len(values)) if height not in near)
    return heights


@styled
def swing(steps: dict[str, list[list[float]]]) -> Figure:
    """Accuracy by step of the last epoch, a line for each seed, and against the fraction classified as positive."""
    accuracy, positive = (100 * np.array(steps[name]) for name in ("accuracy", "positive"))
    figure, ((by_step, by_fraction),) = new_figure(7, 3.8, 1, 2, sharey=True)
    worst, best = accuracy[:, -1].argmin(), accuracy[:, -1].argmax()
    numbers = np.arange(1, accuracy.shape[1] + 1)
    by_step.plot(numbers, accuracy.T, color=PALE, linewidth=0.5, alpha=0.4)
    by_fraction.plot(positive.ravel(), accuracy.ravel(), "o", color=PALE, markersize=2, alpha=0.4, markeredgewidth=0)
    for seed, colour, words in ((worst, ACCENT, "ends lowest"), (best, INK, "ends highest")):
        by_step.plot(numbers, accuracy[seed], color=colour, label=f"Seed {seed}, which {words}")
        by_step.plot(numbers[-1], accuracy[seed, -1], "o", color=colour, markersize=7)
    by_fraction.plot(positive[:, -1], accuracy[:, -1], "o", color=INK, markersize=4, label="Last step of a seed")
    by_step.set(xlabel="Step of the last epoch", ylabel="Test accuracy (%)", ylim=(84.4, 89.6))
    by_fraction.set(xlabel="Test reviews classified as positive (%)", xlim=(38, 62))
    for axes in (by_step, by_fraction):
        axes.legend(loc="lower center")
    return figure


@styled
def ladder(found: Ladder) -> Figure:
    """Our rungs as a line, peers as points, papers as horizontal lines."""
    figure, ((axes,),) = new_figure(7, 6)
    ours, peers = _rung_points(found), _peer_points(found)
    # A rung that is compared with another than the one below is beside the line.
    upwards = [ours[rung.name] for rung in RUNGS if rung.name in ours and rung.beside is None]
    axes.plot(*zip(*ours.values(), strict=True), "o", color=NETWORK)
    axes.plot(*zip(*upwards, strict=True), "o-", color=NETWORK, linewidth=1.2, label="This project")
    if peers:
        axes.plot(*zip(*peers.values(), strict=True), "D", color=INK, label="Peers, run here")
    axes.set(xscale="log", xlabel="Seconds of one run, start to exit", ylabel="Test accuracy (%)")
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.margins(x=0.18, y=0.08)
    for name, accuracy in PUBLISHED.items():
        axes.axhline(100 * accuracy, color=GREY, linewidth=0.8, linestyle="--")
        place, at = (0.005, 100 * accuracy + 0.05), axes.get_yaxis_transform()
        axes.text(*place, f"{name} (published)", transform=at, fontsize=SMALL, color=GREY)
    axes.legend(loc="lower right")
    for named, colour in ((ours, NETWORK), (peers, INK)):
        for name, point in named.items():
            offset = (6, -11 if name in BELOW else 5)
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
    "search": search,
    "seeds": seeds,
    "swing": swing,
    "validation": validation,
}
"""By the name of the plot."""
