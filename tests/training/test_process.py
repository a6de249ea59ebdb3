"""What SIGTERM does inside `sigterm_as_interrupt`, and that nothing of it is left outside."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from imdbclf.training.process import sigterm_as_interrupt, stopping


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_command_with_its_own_status_and_a_second_one_is_ignored(number: int, status: int) -> None:
    before = handlers()
    with sigterm_as_interrupt():
        # The tests may run in a process that ignores Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        stop = stopping()
        os.kill(os.getpid(), number)
        assert stop.code == status
    assert handlers() == before


def test_a_thread_leaves_the_handlers_of_its_process_alone() -> None:
    def inside() -> list[object]:
        with sigterm_as_interrupt():
            return handlers()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(inside).result() == handlers()
