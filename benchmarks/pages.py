"""Pages: Markdown files in which what stands between `<!-- name -->` and `<!-- /name -->` comes from measured files.

The text around it is written by hand. A region is the macro of its name in `templates/PAGE.jinja`. Pictures carry a
hash of the metrics they show, since their pixels depend on the version of Matplotlib.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, median, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from pydantic import BaseModel

from benchmarks.rows import ROWS, spread
from benchmarks.scaling import LINE_BOUND, MEMORY_BOUND
from imdbclf.errors import UserError
from imdbclf.reports.labels import axis_label, p_cell, p_text, percent, signed
from imdbclf.reports.statistics import half_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATES = Path(__file__).parent / "templates"
JUDGING = {"ROWS": ROWS, "LINE_BOUND": LINE_BOUND, "MEMORY_BOUND": MEMORY_BOUND}
"""What the template of the rows needs besides the results."""


def rewritten(page: Path, context: Mapping[str, Any], templates: Path = TEMPLATES) -> str:
    """The text of a page with its regions written new.

    Raises:
        UserError: if there is not one of each marker, in their order.
    """
    text = page.read_text(encoding="utf-8")
    for region, written in rendered(page.name, context, templates).items():
        text = with_region(text, region, written, page.name)
    return text


def rendered(name: str, context: Mapping[str, Any], templates: Path = TEMPLATES) -> dict[str, str]:
    """The regions of the page of that name."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=False,  # noqa: S701 - Markdown of our own
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    file = f"{Path(name).stem}.jinja"
    macros = environment.get_template(file).make_module(dict(context))
    parsed = environment.parse((templates / file).read_text(encoding="utf-8"))
    # A macro with an underscore only helps others.
    names = [macro.name for macro in parsed.find_all(nodes.Macro) if not macro.name.startswith("_")]
    return {name: str(getattr(macros, name)()).strip("\n") for name in names}


def with_region(text: str, region: str, written: str, file: str) -> str:
    """The text with what stands between the markers of this name replaced: on lines of its own, or within a line.

    Raises:
        UserError: naming the file, if there is not one of each marker, in their order.
    """
    first, last = f"<!-- {region} -->", f"<!-- /{region} -->"
    before, begin, rest = text.partition(first)
    old, end, after = rest.partition(last)
    if not begin or not end or first in rest or last in after:
        msg = f"{file}: must hold {first} and, after it, {last}, once each"
        raise UserError(msg)
    lines = "\n" if old.startswith("\n") or not old else ""
    return f"{before}{first}{lines}{written}{lines}{last}{after}"


def interval(values: Sequence[float], digits: int = 2, sign: str = "") -> str:
    """Mean and half of the 95 % interval of fractions, in per cent: `88.87 ± 0.21`; only the mean of one value."""
    half = half_width(np.array(values))
    text = f"{100 * mean(values):{sign}.{digits}f}" + ("" if half is None else f" ± {100 * half:.{digits}f}")
    return text.replace("-", "−")


def difference(values: Sequence[float]) -> str:
    """The same of differences, with a sign unless it is 0: `+0.20 ± 0.10`."""
    return signed(mean(values), half_width(np.array(values)))


def short(seconds: float) -> str:
    """A short time in the unit that suits it, to three digits: `139 ms`."""
    size, unit = next((each for each in ((1, "s"), (1e-3, "ms")) if seconds >= each[0]), (1e-6, "μs"))
    return f"{seconds / size:.3g} {unit}"


def long(seconds: float) -> str:
    """A long time in the unit that suits it: `12 s`, `17 min`, `6.9 h`, `3.1 days`."""
    for least, divisor, unit, digits in ((172_800, 86_400, "days", 1), (5_400, 3_600, "h", 1), (120, 60, "min", 0)):
        if seconds >= least:
            return f"{seconds / divisor:,.{digits}f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - two digits


def listed(pairs: Mapping[str, object]) -> str:
    """`python 3.11.7, torch 2.13.0`."""
    return ", ".join(f"{name} {value}" for name, value in pairs.items())


_SAID = (difference, interval, listed, long, short, spread)
_THEIRS = (axis_label, mean, median, stdev, p_cell, p_text, percent, signed)
FILTERS = {function.__name__: function for function in (*_SAID, *_THEIRS)} | {
    "as": format,
    "distinct": lambda values: [json.loads(each) for each in dict.fromkeys(map(json.dumps, values))],
    "json": json.dumps,
    "largest": lambda values: max(values, key=abs),
}


def digest(metrics: Any) -> str:
    """A hash of metrics in plain types, or of a model of them."""
    plain = metrics.model_dump() if isinstance(metrics, BaseModel) else metrics
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def save_plot(figure: Figure, path: Path, metrics: Any) -> None:
    """Write a plot (PNG) with the hash of the metrics it shows."""
    # It takes a second to import, which checking does without.
    from imdbclf.reports.figure import save  # noqa: PLC0415

    save(figure, path, Results=digest(metrics))


def is_plot_of(path: Path, metrics: Any) -> bool:
    """Whether a plot carries the hash of these metrics."""
    return path.is_file() and digest(metrics).encode() in path.read_bytes()
