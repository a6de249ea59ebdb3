"""Ctrl-C at the moment that a test wants it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from imdbclf.training.callbacks import History


def stopped_at(monkeypatch: pytest.MonkeyPatch, epochs: int) -> Callable[[], None]:
    """Has Ctrl-C come when so many epochs, of whatever network, are over and one more is about to be.

    Returns:
        What lets fits go on undisturbed.
    """
    over, original = 0, History.on_train_epoch_end

    def interrupt(self: History, trainer: Any, pl_module: Any) -> None:
        nonlocal over
        if over == epochs:
            raise KeyboardInterrupt
        over += 1
        original(self, trainer, pl_module)

    monkeypatch.setattr(History, "on_train_epoch_end", interrupt)
    return lambda: monkeypatch.setattr(History, "on_train_epoch_end", original)
