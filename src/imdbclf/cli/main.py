"""The command from its arguments to its exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper

import typer

from imdbclf.cli import experiments, checkpoints  # isort: skip  # noqa: F401 - they add the verbs, in this order
from imdbclf.cli.app import DEBUG_VARIABLE, app
from imdbclf.errors import UserError, is_full_disk, one_line, visible

_USAGE_ERROR = typer.BadParameter.__mro__[1]
"""Click's error for a wrong command line. Typer does not export this class."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 for success, 1 for an error in the program, 2 for one that the user can correct."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    with _reported():
        # In standalone mode Typer prints errors in boxes; ours are single lines.
        status = app(arguments, standalone_mode=False)
    sys.exit(status if isinstance(status, int) else 0)


@contextmanager
def _reported() -> Iterator[None]:
    """Print an error as one line on standard error, or its traceback with `--debug`."""
    try:
        yield
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", 130)
    except BrokenPipeError:
        # The reader of our output has closed the pipe (`imdbclf … | head`). This is not an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE) == "1":
            raise
        _fail(*_explained(error))


def _explained(error: Exception) -> tuple[str, int]:
    """The message for an error, and the exit status."""
    if isinstance(error, UserError):
        return str(error), 2
    if isinstance(error, _USAGE_ERROR):
        return one_line(error.format_message()), 2  # type: ignore[attr-defined]
    if is_full_disk(error):
        return "no space left on the disk; free some space and run the command again", 2
    if isinstance(error, PermissionError):
        return f"{error.filename}: permission denied", 2
    return f"{type(error).__name__}: {one_line(error)} (--debug shows the traceback)", 1


def _fail(message: str, status: int) -> None:
    typer.echo(f"error: {visible(one_line(message))}", err=True)
    sys.exit(status)
