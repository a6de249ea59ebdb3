"""Output for users: one console for progress bars, log lines and tables; plain text if there is no terminal."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table

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
        console().print(self.format(record), style=style, markup=False, soft_wrap=True)


def tell(message: str) -> None:
    """Print a line on the console only."""
    console().print(message, markup=False, soft_wrap=True)


@contextmanager
def spoken() -> Iterator[None]:
    """Inside, `say` prints on the console; for commands that have no `train.log`."""
    ours, handler = logging.getLogger("imdbclf"), TerminalHandler()
    level, propagate = ours.level, ours.propagate
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    ours.propagate = False
    try:
        yield
    finally:
        ours.removeHandler(handler)
        ours.setLevel(level)
        ours.propagate = propagate


def say(message: str) -> None:
    """Print a line on the console and write it to the log of the run."""
    _log.info("%s", message)


def say_table(table: Table) -> None:
    """Print a table on the console and write it to the log of the run, without colours."""
    plain = Console(width=console().width, color_system=None, file=StringIO())
    plain.print(table)
    text = cast("StringIO", plain.file).getvalue()
    say("\n" + "\n".join(line.rstrip() for line in text.splitlines()))


def text_table(heads: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int = 1, **options: Any) -> Table:
    """A table of plain text: the first `text_columns` columns are text, the others numbers; `options` are rich's."""
    table = Table(title_justify="left", caption_justify="left", **options)
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number < text_columns else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def program() -> str:
    """The command that starts this program: its name if the shell finds it, otherwise its path."""
    own = Path(sys.executable).parent / "imdbclf"
    return "imdbclf" if shutil.which("imdbclf") or not own.exists() else shown_path(own)


def shown_path(path: Path) -> str:
    """The path for messages: relative if it is inside the working directory, otherwise absolute."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)
