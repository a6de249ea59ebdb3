"""The report as Markdown, pictures beside it, and as one HTML file that needs nothing else."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from imdbclf.reports.sweep.sections import Section

_TEMPLATES = Path(__file__).parent / "templates"
_MARKS = re.compile(r"([\\`*|<>&]|\](?=\())")


@dataclass(frozen=True)
class Page:
    """All that is on the page: its title, the command, where the reviews came from, the verdict, the sections."""

    title: str
    command: str
    data_sources: Sequence[str]
    verdict: Sequence[str]
    sections: Sequence[Section]


def html_page(page: Page) -> str:
    """The report as one HTML file: style and pictures inside, no script, every text escaped."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["base64"] = lambda data: b64encode(data).decode()
    template = environment.get_template("sweep.html.jinja")
    return template.render(page=page)


def markdown_page(page: Page) -> str:
    """The report as Markdown (GitHub's, for its tables); its pictures are files named after them."""
    # Not HTML: marks of Markdown are what a text must not bring with it.
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=False,  # noqa: S701 - the filter `plain` escapes
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = plain
    template = environment.get_template("sweep.md.jinja")
    return template.render(page=page)


def plain(text: str) -> str:
    """The text so that Markdown shows it as it is, in a table too."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
