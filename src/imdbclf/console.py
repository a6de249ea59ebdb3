"""What people see: one console that progress, log lines and tables share, plain wherever there is no terminal."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import StringIO
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.table import Table

_log = logging.getLogger(__name__)

PLAIN_WIDTH = 110
"""Columns of a table where no terminal says how wide it is."""


@cache
def console() -> Console:
    """The console for standard output: colours and live displays on a terminal, plain text elsewhere."""
    plain = Console(highlight=False, emoji=False)
    return plain if plain.is_terminal else Console(highlight=False, emoji=False, width=PLAIN_WIDTH, color_system=None)


class TerminalHandler(logging.Handler):
    """Log messages as plain sentences on the console, above a progress bar where one is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message, warnings in their colour."""
        style = "yellow" if record.levelno >= logging.WARNING else None
        console().print(self.format(record), style=style, markup=False, soft_wrap=True)


def tell(message: str) -> None:
    """A line to people alone."""
    console().print(message, markup=False, soft_wrap=True)


@contextmanager
def spoken() -> Iterator[None]:
    """Inside, what is said reaches the console and nobody else, where no run keeps a log."""
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
    """A line to people, which also belongs in the log of the run."""
    _log.info("%s", message)


def say_table(table: Table) -> None:
    """A table to people and to the log of the run, without colours."""
    plain = Console(width=console().width, color_system=None, file=StringIO())
    plain.print(table)
    text = cast("StringIO", plain.file).getvalue()
    say("\n" + "\n".join(line.rstrip() for line in text.splitlines()))


def program() -> str:
    """How to call this program from here: by its name where the shell finds it, else by its path."""
    own = Path(sys.executable).parent / "imdbclf"
    return "imdbclf" if shutil.which("imdbclf") or not own.exists() else shown_path(own)


def shown_path(path: Path) -> str:
    """The path as people would type it from here: relative where it is below the working directory."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)
