"""Reports as pages: one HTML file each, with style and plots inside, no script, and every text escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imdbclf.reports.labels import signed

if TYPE_CHECKING:
    from imdbclf.reports.figure import Plot


@dataclass(frozen=True)
class TextTable:
    """A table of cells as they are shown; the first `text_columns` columns are text, the others numbers."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: int = 1
    highlighted: int | None = None


@dataclass(frozen=True)
class Section:
    """A part of the report under a title: text, coloured text, a table, plots, and notes in small print.

    A coloured text has pieces, each with its effect and with its strength from -1 (orange) to 1 (blue).
    """

    title: str
    text: Sequence[str] = ()
    table: TextTable | None = None
    plots: Sequence[Plot] = ()
    notes: Sequence[str] = ()
    coloured: Sequence[Sequence[tuple[str, float, float]]] = ()


def page(template: str, **values: Any) -> str:
    """The page of a template, by its path in the package; `reports/page.html.jinja` is the frame of all."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - a terminal does without

    environment = Environment(
        loader=PackageLoader("imdbclf", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["signed"] = signed
    environment.filters["base64"] = lambda data: b64encode(data).decode()
    return environment.get_template(template).render(values)
