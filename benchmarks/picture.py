"""The figure of the results."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.page import growths
from benchmarks.results import Comparison, Results, Scaling
from benchmarks.rows import ROWS
from benchmarks.sealed import save

OURS, BOUND, MISSED = "#2563eb", "#111827", "#dc2626"


def draw(results: Results, path: Path) -> None:
    """Draw the ratios and, where measured, the growing corpus; the file says which results it shows."""
    mpl.rcParams["font.size"] = 9
    panels = 3 if results.scaling else 1
    figure = Figure(figsize=(4.5 * panels + 1.5, 4.6), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    _ratios(axes[0], results.rows)
    if results.scaling:
        _times(axes[1], results.scaling)
        _memory(axes[2], results.scaling)
    save(figure, path, results)


def _ratios(axis: Axes, rows: dict[str, Comparison]) -> None:
    """How many times as fast, or as small, ours is, with the bound that must be kept."""
    drawn = [name for name in rows if ROWS[name].target.kind in {"times_less", "beside"}]
    for place, name in enumerate(reversed(drawn)):
        verdict, must = rows[name].verdict(name), ROWS[name].target.must
        axis.barh(place, verdict.value, color=MISSED if verdict.must is False else OURS, height=0.6)
        if must is not None:
            axis.plot([must, must], [place - 0.4, place + 0.4], color=BOUND, linewidth=2)
        axis.text(max(verdict.value, must or 0), place, f"  {verdict.value:.1f}×", va="center")
    axis.set_yticks(range(len(drawn)), list(reversed(drawn)))
    axis.axvline(1, color="grey", linewidth=0.8)
    axis.margins(x=0.15)
    axis.set_title("peer / ours (black: must)")


def _times(axis: Axes, scaling: Scaling) -> None:
    sizes = [size.reviews for size in scaling.sizes]
    encode, epoch = growths(scaling)
    for found, label, marker in ((encode, "encoding", "o"), (epoch, "preparing and one epoch", "s")):
        seconds = [each * n / 1e6 for each, n in zip(found.microseconds, sizes, strict=True)]
        (line,) = axis.plot(sizes, [found.line.at(n) for n in sizes], linewidth=1)
        axis.plot(sizes, seconds, marker, color=line.get_color(), label=label)
    axis.set_yscale("log")
    _reviews(axis, sizes)
    axis.set_ylabel("seconds")
    axis.legend()
    axis.set_title("a growing corpus: time and the straight line")


def _memory(axis: Axes, scaling: Scaling) -> None:
    sizes, peaks = [size.reviews for size in scaling.sizes], [median(size.private_mb) for size in scaling.sizes]
    axis.plot(sizes, peaks, "o-")
    _reviews(axis, sizes)
    axis.set_ylim(0, 1.2 * max(peaks))
    axis.set_ylabel("MB")
    axis.set_title("peak private memory in training")


def _reviews(axis: Axes, sizes: list[int]) -> None:
    """A logarithmic axis of reviews with the measured sizes as its sentence_ends."""
    axis.set_xscale("log")
    axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axis.set_xticks([], minor=True)
    axis.set_xlabel("reviews")
