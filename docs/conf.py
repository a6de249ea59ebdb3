"""The site (`make site`): the pages of `docs/`, and what settings, commands and classes say of themselves."""

import re
from pathlib import Path

import typer
from sphinx.application import Sphinx

from imdbclf.cli.main import app as command_line
from imdbclf.training.settings_guide import USAGE, Group, all_groups

DOCS = Path(__file__).parent
project, html_title, html_theme = "imdbclf", "imdbclf", "furo"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_extra_path = ["../dist/site-extra"]  # the page that classifies
html_show_copyright = html_show_sphinx = html_copy_source = False
myst_heading_anchors = 4  # GitHub's anchors
default_role = "code"  # docstrings have Markdown's single backticks
autodoc_member_order, autodoc_typehints_format = "bysource", "short"


def _plain(text: str) -> str:
    """The text without what Markdown takes as its own."""
    return re.sub(r"[|*_<$]", lambda found: f"&#{ord(found[0])};", text)


def _settings(group: Group) -> str:
    """The options and the keys of a group, as two tables."""
    lines = [f"\n## {group.name or 'Settings without a group'}\n"]
    if group.options:
        lines += ["| option | meaning |", "| --- | --- |"]
    for name, meaning in group.options.items():
        lines.append(f"| `{group.name}={name}`{' (default)' * (name == group.default)} | {_plain(meaning)} |")
    if group.settings:
        lines += ["", "| key and default | meaning and *what is allowed* |", "| --- | --- |"]
    for one in group.settings:
        of_option = f" ({group.name}={one.option})" if one.option else ""
        more = [f"`{name}`: {_plain(meaning)}" for name, meaning in one.choices.items()] or [f"*{_plain(one.allowed)}*"]
        about = "<br>".join([_plain(one.meaning), *(more if one.allowed else [])])
        lines.append(f"| `{one.key}`<br>`{one.default}`{of_option} | {about} |")
    return "\n".join(lines)


def _completed(_: Sphinx, page: str, source: list[str]) -> None:
    if page == "index":  # the pages that it does not name: those of the course, and others
        course = sorted(DOCS.glob("lecture/*.md"), key=lambda path: (path.stem != "index", path.stem))
        others = sorted({path.stem for path in DOCS.glob("*.md")} - {*source[0].split(), page})
        source[0] = source[0].replace("lecture/*\n", "".join(f"lecture/{path.stem}\n" for path in course))
        source[0] = source[0].replace("\n*\n", "".join(f"\n{name}" for name in ["", *others]) + "\n")
    elif page == "reference/settings":
        source[0] += "\n".join(map(_settings, all_groups()))
    elif page == "reference/command-line":
        for name, verb in typer.main.get_command(command_line).commands.items():
            text = verb.get_help(typer.Context(verb, info_name=f"imdbclf {name}")) if name != "train" else USAGE
            source[0] += f"\n## {name}\n\n```text\n{text}\n```\n"


def setup(app: Sphinx) -> None:
    """Let pages be completed when they are read."""
    app.connect("source-read", _completed)
