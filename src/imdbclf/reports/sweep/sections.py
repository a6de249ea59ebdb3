"""What a report is made of: sections of text, a table and plots. Another module may add sections of its own."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


@dataclass(frozen=True)
class TextTable:
    """A table of cells as they are shown; the first `left` columns are text, the others numbers."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1
    highlighted: int | None = None


@dataclass(frozen=True)
class Plot:
    """A plot as pixels (for `NAME.png`) and as lines (for the page), and what it shows in words."""

    name: str
    alt: str
    png: bytes
    svg: bytes


@dataclass(frozen=True)
class Section:
    """A part of the report under a title: text, a table, plots, and notes in small print."""

    title: str
    text: Sequence[str] = ()
    table: TextTable | None = None
    plots: Sequence[Plot] = ()
    notes: Sequence[str] = field(default=())


def plot_of(figure: Figure, name: str, alt: str) -> Plot:
    """The figure drawn both ways, the same bytes every time.

    Args:
        figure: drawn, without a canvas of its own.
        name: the plot's file name without its suffix.
        alt: what one sees, for those who don't.
    """
    FigureCanvasAgg(figure)
    # Arranged once; each way of saving would arrange it again.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", dpi=110, metadata={"Software": None})
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return Plot(name, alt, png.getvalue(), svg.getvalue())
