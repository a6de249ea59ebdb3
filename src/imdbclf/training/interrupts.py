"""Ctrl-C and SIGTERM: the same good order, each with its own exit status."""

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
    """The exit status that a stop would have now: Ctrl-C's unless SIGTERM came."""

    value: int = INTERRUPTED


_stop = StopStatus()


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """A polite kill ends the run in the same good order as Ctrl-C, with its own exit status."""

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
    """The exit that ends a stopped command; whoever stops it twice still gets the summary before it.

    The handlers come back when the command ends.
    """
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    return SystemExit(_stop.value)
