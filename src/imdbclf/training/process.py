"""The process of a run: signals that end it, messages of libraries, the log file, versions and machine."""

from __future__ import annotations

import logging
import os
import platform
import signal
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from types import FrameType
from typing import Any

_CTRL_C, _TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
"""Exit statuses after a signal, as shells have them."""

_stop = {"status": _CTRL_C}
"""The exit status of an interruption: that of Ctrl-C unless SIGTERM was received."""

_IRRELEVANT = (
    ".*does not have many workers",
    "The number of training batches",
    ".*callbacks: .*'BestCheckpoint'",  # in checkpoints of older versions
    "Total length of `list` across ranks is zero",
    "You defined a `validation_step` but have no `val_dataloader`",
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
)
"""Warnings of Lightning that do not apply: the corpus is in memory, and a run without validation is intended."""

_PACKAGES = ("imdbclf", "torch", "lightning", "hydra-core", "datasets", "numpy", "pyarrow", "torchmetrics", "scipy")


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Inside, SIGTERM raises KeyboardInterrupt, as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        _stop["status"] = _TERMINATED
        raise KeyboardInterrupt

    _stop["status"] = _CTRL_C
    # SIGINT as well: Lightning ignores it from the first Ctrl-C on.
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    _handle({signal.SIGTERM: interrupt})
    try:
        yield
    finally:
        _handle(before)


def _handle(handlers: Mapping[signal.Signals, Any]) -> None:
    """Set handlers of signals; only the main thread of a process can."""
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            signal.signal(number, handler)


def is_terminated() -> bool:
    """Whether SIGTERM was received: it comes from a scheduler, which will want to go on."""
    return _stop["status"] == _TERMINATED


def stopping() -> SystemExit:
    """The exit that ends an interrupted command, with status 130 after Ctrl-C and 143 after SIGTERM.

    Until it is raised, further signals do not stop the summary. `sigterm_as_interrupt` restores the handlers.
    """
    _handle(dict.fromkeys((signal.SIGINT, signal.SIGTERM), signal.SIG_IGN))
    return SystemExit(_stop["status"])


def quiet_libraries() -> None:
    """Send the messages of Lightning and all warnings to `train.log` instead of the terminal."""
    for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    for message in _IRRELEVANT:
        warnings.filterwarnings("ignore", message)
    logging.captureWarnings(capture=True)


@contextmanager
def log_closed() -> Iterator[None]:
    """Close `train.log` at the end, so that the folder can be moved or removed."""
    try:
        yield
    finally:
        root = logging.getLogger()
        for handler in root.handlers[:]:
            if isinstance(handler, logging.FileHandler):
                handler.close()
                root.removeHandler(handler)


@cache
def versions() -> dict[str, str]:
    """The versions of Python and of the packages that the metrics depend on."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in _PACKAGES}


def environment(threads: int | None) -> dict[str, Any]:
    """Versions and machine of a run; `threads` are those that its settings ask for."""
    import torch  # noqa: PLC0415 - slow; a refused command line does without it

    accelerator = torch.accelerator.current_accelerator()
    return {
        "versions": versions(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": threads or torch.get_num_threads(),
        "accelerators": [f"{accelerator}:{number}" for number in range(torch.accelerator.device_count())],
    }
