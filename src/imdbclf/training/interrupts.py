"""Ctrl-C and SIGTERM: both end a run in good order, each with its own exit status."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 + SIGINT."""

TERMINATED = 143
"""Exit status after SIGTERM: 128 + SIGTERM."""


@dataclass
class StopStatus:
    """The exit status of an interruption: that of Ctrl-C unless SIGTERM was received."""

    value: int = INTERRUPTED


_stop = StopStatus()


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Inside, SIGTERM raises KeyboardInterrupt, as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        _stop.value = TERMINATED
        raise KeyboardInterrupt

    _stop.value = INTERRUPTED
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        # SIGINT as well: Lightning ignores it from the first Ctrl-C on.
        for number, handler in before.items():
            signal.signal(number, handler)


def stopping() -> SystemExit:
    """The exit that ends an interrupted command. Until it is raised, further signals do not stop the summary.

    `sigterm_as_interrupt` restores the handlers.
    """
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    return SystemExit(_stop.value)
