"""`imdbclf train -m …` for benchmarks that want its runs and not its seconds: in this process, or as a person would."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys

from benchmarks.paths import ROOT
from imdbclf.errors import UserError


def train_many(*overrides: str) -> None:
    """Run the command without its words.

    Raises:
        UserError: if it ends with another status than 0.
    """
    from imdbclf.cli import main as imdbclf  # noqa: PLC0415 - checking does without

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            imdbclf(["train", "-m", *overrides])
    except SystemExit as stop:
        if stop.code:
            msg = f"imdbclf train -m {' '.join(overrides)}: ended with status {stop.code}"
            raise UserError(msg) from stop


def train_many_aloud(*overrides: str) -> int:
    """The status of the command in a process of its own, which says what it does and can be interrupted."""
    process = subprocess.Popen([sys.executable, "-m", "imdbclf", "train", "-m", *overrides], cwd=ROOT)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The keyboard has told it too; it ends in good order and says how to go on.
        process.wait()
        raise
