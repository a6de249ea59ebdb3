"""`imdbclf train -m …` in this process, for benchmarks that want its runs and not its seconds."""

from __future__ import annotations

import contextlib
import io

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
