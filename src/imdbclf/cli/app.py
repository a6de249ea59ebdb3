"""The command itself, and how its verbs print."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Annotated

import typer

from imdbclf import __version__
from imdbclf.errors import visible

DEBUG_VARIABLE = "HYDRA_FULL_ERROR"
"""Hydra's variable for tracebacks; `--debug` sets it."""

app = typer.Typer(
    name="imdbclf",
    help="Classify movie reviews as positive or negative with a small network on multi-hot rows.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _common(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"


def echo(text: str) -> None:
    """Print text that has its line ends."""
    typer.echo(text, nl=False)


def echo_json(text: str) -> None:
    """Print JSON, which stays JSON where the output cannot show all characters."""
    can_show_all = "utf" in (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    echo(visible(text) if can_show_all else re.sub(r"[^\n\x20-\x7e]", lambda found: json.dumps(found[0])[1:-1], text))
