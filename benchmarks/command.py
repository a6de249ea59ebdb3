"""What the benchmarks' commands have in common: files, running `imdbclf`, and how they end."""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from imdbclf.errors import UserError, one_line

ROOT = Path(__file__).parents[1]
MEASURED = ROOT / "benchmarks"
"""The folder of what was measured: a JSON file a benchmark."""

PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"


def ending_in_one_line(command: Callable[[], None]) -> Callable[[], None]:
    """The command; what it refuses is one line and status 2, as with `imdbclf`."""

    @functools.wraps(command)
    def ended() -> None:
        try:
            command()
        except UserError as error:
            say(f"error: {one_line(error)}")
            sys.exit(2)
        except KeyboardInterrupt:
            say("error: interrupted; nothing was written")
            sys.exit(130)

    return ended


def say(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"{text}\n")


def read_json(path: Path) -> dict[str, Any]:
    """The contents of a JSON file that holds an object."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def reviews_folder() -> Path:
    """The folder that IMDBCLF_DATA names.

    Raises:
        UserError: if it names none, or one that is not in the Hub's layout.
    """
    named = os.environ.get("IMDBCLF_DATA")
    if not named:
        msg = "IMDBCLF_DATA is not set: it must name a folder of the real reviews in the Hub's layout"
        raise UserError(msg)
    folder = Path(named).expanduser()
    if not list(folder.rglob("train-*.parquet")) or not list(folder.rglob("test-*.parquet")):
        msg = f"IMDBCLF_DATA={named}: must name a folder in the Hub's layout (train-*.parquet, test-*.parquet)"
        raise UserError(msg)
    return folder.resolve()


def parser_of_two_runs(target: str, about: str | None, repeat: int) -> argparse.ArgumentParser:
    """The options of a make target that measures a run of the lecture and one of the strong recipe, several times."""
    parser = argparse.ArgumentParser(prog=f"make {target} ARGS=…", description=about)
    parser.add_argument("--lecture", type=Path, required=True, help="a run of experiment=lecture")
    parser.add_argument("--strong", type=Path, required=True, help="a run of experiment=strong")
    parser.add_argument("--repeat", type=int, default=repeat)
    return parser


def run_sweep(*overrides: str) -> int:
    """Run `imdbclf train -m …` in a process of its own, its output on the terminal; returns its exit status."""
    process = subprocess.Popen([sys.executable, "-m", "imdbclf", "train", "-m", *overrides], cwd=ROOT)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The process got the signal as well. It stops in order and says how to continue.
        process.wait()
        raise


class Fixed(BaseModel):
    """What is read from a file of ours: typed, and without further keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
