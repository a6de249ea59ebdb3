"""The plot of the ladder: test accuracy against seconds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from statistics import mean, median

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.ticker import StrMethodFormatter
from matplotlib.transforms import Bbox

from benchmarks.rungs import PEERS, PUBLISHED, RUNGS
from benchmarks.steps import Ladder

OURS, THEIRS, PAPERS = "#2563eb", "#b45309", "#6b7280"
SMALL = 7.5

_STEPS = (7, -7, 14, -14, 21, -21, 28, -28, 35, -35)
AROUND = sorted(product(_STEPS, _STEPS), key=lambda at: max(map(abs, at)))
"""Where a label is tried, in points from what it names; nearest first."""

Point = tuple[float, float]


def draw(found: Ladder) -> Figure:
    """Our rungs as a line, peers as points, papers as horizontal lines."""
    figure = Figure(figsize=(9, 6.2), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    ours, peers = _rungs(found), _peers(found)
    # A rung that is compared with another than the one below is beside the line.
    upwards = [ours[rung.name] for rung in RUNGS if rung.name in ours and rung.beside is None]
    axes.plot(*zip(*ours.values(), strict=True), "o", color=OURS, markersize=5)
    axes.plot(*zip(*upwards, strict=True), "o-", color=OURS, markersize=5, linewidth=1.2, label="this project")
    if peers:
        axes.plot(*zip(*peers.values(), strict=True), "D", color=THEIRS, markersize=5, label="peers, run here")
    axes.set(xscale="log", xlabel="seconds of one run, start to exit", ylabel="test accuracy, %")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.margins(x=0.12, y=0.08)
    axes.grid(alpha=0.2, which="both", axis="x")
    _papers(axes)
    axes.legend(frameon=False, loc="lower right", fontsize=9)
    canvas.draw()  # type: ignore[no-untyped-call]
    _label(canvas, axes, [*((name, point, OURS) for name, point in ours.items()),
                          *((name, point, THEIRS) for name, point in peers.items())])  # fmt: skip
    return figure


def _rungs(found: Ladder) -> dict[str, Point]:
    """Seconds, and mean accuracy in per cent, of the rungs for which both were measured."""
    names = [rung.name for rung in RUNGS if rung.name in found["rungs"] and rung.name in found["runs"]]
    return {name: (found["runs"][name]["seconds"], 100 * mean(found["rungs"][name]["test/accuracy"])) for name in names}


def _peers(found: Ladder) -> dict[str, Point]:
    seen = {peer.name: found["peers"][peer.name] for peer in PEERS if peer.name in found["peers"]}
    return {name: (median(each["seconds"]), 100 * mean(each["accuracy"])) for name, each in seen.items()}


def _papers(axes: Axes) -> None:
    for name, accuracy in PUBLISHED.items():
        axes.axhline(100 * accuracy, color=PAPERS, linewidth=0.8, linestyle="--")
        axes.annotate(
            f"{name} (published)",
            (0.005, 100 * accuracy),
            xycoords=("axes fraction", "data"),
            xytext=(0, 1.5),
            textcoords="offset points",
            fontsize=SMALL,
            color=PAPERS,
        )


def _label(canvas: FigureCanvasAgg, axes: Axes, named: Sequence[tuple[str, Point, str]]) -> None:
    """Put each name as near to its point as possible without covering a point or another name."""
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    taken = [text.get_window_extent(renderer) for text in axes.texts]
    if (legend := axes.get_legend()) is not None:
        taken.append(legend.get_window_extent(renderer))
    places = axes.transData.transform([point for _, point, _ in named])
    taken += [Bbox.from_bounds(x - 5, y - 5, 10, 10) for x, y in places]
    for name, point, colour in named:
        text = axes.annotate(name, point, (0, 0), textcoords="offset points", fontsize=SMALL, color=colour, va="center")
        text.set_path_effects([withStroke(linewidth=3, foreground="white")])
        taken.append(_placed(text, taken, axes, renderer))


def _placed(text: Annotation, taken: Sequence[Bbox], axes: Axes, renderer: object) -> Bbox:
    """The place where the text fits first; else the last one that was tried."""
    inside = axes.get_window_extent(renderer)  # type: ignore[arg-type]
    box = Bbox.null()
    for right, up in AROUND:
        text.set_horizontalalignment("left" if right > 0 else "right")
        text.set_position((right, up))
        box = text.get_window_extent(renderer)  # type: ignore[arg-type]
        fits = inside.contains(*box.min) and inside.contains(*box.max)
        if fits and not any(box.overlaps(other) for other in taken):
            break
    return box
