"""Figures in one style (`imdbclf.mplstyle`), saved as PNG, or rendered as PNG and SVG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy.typing as npt
from matplotlib.figure import Figure

from imdbclf.storage import atomic_write

TRAINING, VALIDATION, NETWORK = "#0072B2", "#D55E00", "#009E73"
"""What these colours show is the same in every figure; the network is that after training."""

LABELS = "#E69F00", "#56B4E9"
"""The negative and the positive label."""

INK, ACCENT, GREY, PALE = "#1E293B", "#CC79A7", "#64748B", "#94A3B8"
"""Marks; one of them that stands out; what is compared with; what is in the background."""

THOUSANDS = "{x:,.0f}"
"""How an axis shows counts."""

styled = mpl.rc_context(
    mpl.rc_params_from_file(Path(__file__).with_name("imdbclf.mplstyle"), use_default_template=False)
)
"""Decorates every function that draws or saves a figure."""


@dataclass(frozen=True)
class Plot:
    """A plot as PNG (for the file `NAME.png`) and as SVG (for the page), and what it shows in words."""

    name: str
    alt: str
    png: bytes
    svg: bytes


def new_figure(
    width: float,
    height: float,
    down: int = 1,
    across: int = 1,
    *,
    layout: Literal["constrained"] | None = "constrained",
    **panels: Any,
) -> tuple[Figure, npt.NDArray[Any]]:
    """A figure of this size in inches, and its panels (down, across), with arguments of `Figure.subplots`.

    With `layout=None` the caller sets the margins.
    """
    figure = Figure(figsize=(width, height), layout=layout)
    return figure, figure.subplots(down, across, squeeze=False, **panels)


@styled
def save(figure: Figure, path: Path, **metadata: str) -> None:
    """Write the figure as PNG."""
    with atomic_write(path) as aside:
        figure.savefig(aside, format="png", metadata={"Software": None, **metadata})


@styled
def rendered(figure: Figure, name: str, alt: str) -> Plot:
    """Render the figure both ways, the same bytes every time."""
    # The layout is computed once; each way of saving would compute it again.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return Plot(name, alt, png.getvalue(), svg.getvalue())
