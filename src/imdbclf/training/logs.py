"""The log of a run, `train.log`: what libraries write to it, and when it is closed."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_IRRELEVANT = (
    ".*does not have many workers",
    "The number of training batches",
    "Checkpoint directory .* exists and is not empty",
    "The dirpath has changed from",
    "Total length of `list` across ranks is zero",
    "You defined a `validation_step` but have no `val_dataloader`",
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
)
"""Warnings of Lightning that do not apply: the corpus is in memory, and a run without validation is intended."""


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
        for handler in [handler for handler in root.handlers if isinstance(handler, logging.FileHandler)]:
            handler.close()
            root.removeHandler(handler)
