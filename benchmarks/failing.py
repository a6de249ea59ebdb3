"""How the benchmarks' commands end when something is wrong: one line and status 2, as `imdbclf` does."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

from imdbclf.errors import UserError, one_line


def failing_in_one_line(command: Callable[[], None]) -> Callable[[], None]:
    """The command, its errors for people as one line."""

    @functools.wraps(command)
    def ended() -> None:
        try:
            command()
        except UserError as error:
            sys.stderr.write(f"error: {one_line(error)}\n")
            sys.exit(2)
        except KeyboardInterrupt:
            sys.stderr.write("error: interrupted; nothing was written\n")
            sys.exit(130)

    return ended
