"""Output for users: one console for progress bars, log lines and tables; plain text if there is no terminal."""

from __future__ import annotations

import logging
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from imdbclf.errors import visible

_log = logging.getLogger(__name__)

PLAIN_WIDTH = 110
"""Width of tables in characters, if there is no terminal."""


@cache
def console() -> Console:
    """The console for standard output: colours and live displays on a terminal, plain text elsewhere."""
    plain = Console(highlight=False, emoji=False)
    return plain if plain.is_terminal else Console(highlight=False, emoji=False, width=PLAIN_WIDTH, color_system=None)


class TerminalHandler(logging.Handler):
    """Prints log messages on the console, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message; warnings in yellow."""
        style = "yellow" if record.levelno >= logging.WARNING else None
        console().print(visible(self.format(record)), style=style, markup=False, soft_wrap=True)


def tell(message: str) -> None:
    """Print a line on the console only."""
    console().print(visible(message), markup=False, soft_wrap=True)


def say(message: str) -> None:
    """Print a line on the console and write it to the log of the run."""
    _log.info("%s", message)


def say_table(table: Table) -> None:
    """Print a table on the console and write it to the log of the run, without colours."""
    plain = Console(width=console().width, color_system=None)
    with plain.capture() as captured:
        plain.print(table)
    say("\n" + "\n".join(line.rstrip() for line in captured.get().splitlines()))


def text_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    text_columns: int = 1,
    title: str | None = None,
    caption: str | None = None,
) -> Table:
    """A table of plain text without markup: the first `text_columns` columns are text, the others numbers."""
    table = Table(title_justify="left", caption_justify="left")
    table.title = None if title is None else Text(visible(title), "table.title")
    table.caption = None if caption is None else Text(visible(caption), "table.caption")
    for number, head in enumerate(heads):
        table.add_column(Text(visible(head)), justify="left" if number < text_columns else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    return table


def program() -> str:
    """The command that starts this program: its name if the shell finds it, otherwise its path."""
    # `which` knows that the file has the ending `.exe` on Windows.
    own = shutil.which("imdbclf", path=str(Path(sys.executable).parent))
    return "imdbclf" if own is None or shutil.which("imdbclf") else shown_path(Path(own))


def command_line(words: Sequence[str], *, windows: bool = os.name == "nt") -> str:
    """The words as one line that the user's shell splits into them again; on Windows, cmd and PowerShell."""
    if not windows:
        return shlex.join(words)
    # `""` is a quote for both shells. Backslashes are doubled only before a quote, as Windows programs read them.
    plain, quotes = re.compile(r"[\w.:/\\=+-]+"), re.compile(r'(\\*)("|\Z)')
    return " ".join(one if plain.fullmatch(one) else '"' + quotes.sub(r"\1\1\2\2", one) + '"' for one in words)


def install_command(extra: str) -> str:
    """The command that installs what an extra needs, by its own name: no index has this package."""
    from importlib.metadata import distributions  # noqa: PLC0415 - only for a message

    listed = [text for found in distributions(name="imdbclf") for text in found.requires or []]
    # Once each, although an environment may list the package twice.
    wanted = dict.fromkeys(text.partition(";")[0].strip() for text in listed if f"extra == '{extra}'" in text)
    return command_line([shown_path(Path(sys.executable)), "-m", "pip", "install", *(wanted or [f".[{extra}]"])])


def shown_path(path: Path) -> str:
    """The path for messages: relative if it is inside the working directory, otherwise absolute."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)
