"""Figures as reports show them, rendered as PNG and SVG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy.typing as npt
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Plot:
    """A plot as PNG (for the file `NAME.png`) and as SVG (for the page), and what it shows in words."""

    name: str
    alt: str
    png: bytes
    svg: bytes


def new_figure(
    width: float, height: float, down: int, across: int, *, sharey: bool = False
) -> tuple[Figure, npt.NDArray[Any]]:
    """A figure and its panels (down, across)."""
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(down, across, sharey=sharey, squeeze=False)
    for panel in panels.flat:
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    return figure, panels


def rendered(figure: Figure, name: str, alt: str) -> Plot:
    """Render the figure both ways, the same bytes every time."""
    # The layout is computed once; each way of saving would compute it again.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", dpi=110, metadata={"Software": None})
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return Plot(name, alt, png.getvalue(), svg.getvalue())
