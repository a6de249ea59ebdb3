"""Checkpoints compared, and Ctrl-C at a chosen moment."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import metrics_of
from lightning.pytorch.callbacks import Callback

from imdbclf.reports.history import read_history
from imdbclf.training.callbacks import History

PARAMETERS = 500 * 16 + 16 + 16 * 16 + 16 + 16 + 1
"""Of the lecture's network on 500 columns."""


def weights_of(run_folder: Path, name: str = "best") -> dict[str, torch.Tensor]:
    path = run_folder / "checkpoints" / f"{name}.ckpt"
    weights: dict[str, torch.Tensor] = torch.load(path, weights_only=True)["state_dict"]
    return weights


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def equal_weights(one: Path, other: Path, name: str = "best") -> bool:
    """Whether the checkpoints of this name in two run folders hold the same weights, bit for bit."""
    return equal(weights_of(one, name), weights_of(other, name))


def is_same(one: Path, other: Path) -> bool:
    """Whether two runs have the same weights, history and metrics, bit for bit; times excepted."""
    histories = [
        [
            {name: value for name, value in row.items() if name != "seconds"}
            for row in read_history(path / "history.csv")
        ]
        for path in (one, other)
    ]
    same_weights = all(
        equal_weights(one, other, name) for name in ("best", "last") if (one / f"checkpoints/{name}.ckpt").exists()
    )
    return same_weights and histories[0] == histories[1] and metrics_of(one) == metrics_of(other)


def stopped_at(monkeypatch: pytest.MonkeyPatch, epochs: int, by: signal.Signals = signal.SIGINT) -> Callable[[], None]:
    """Interrupts by Ctrl-C at the end of the next epoch after this number of epochs, of all networks together.

    Or by another signal.

    Returns:
        What lets later fits run undisturbed.
    """
    over, original = 0, History.on_train_epoch_end

    def interrupt(self: History, trainer: Any, pl_module: Any) -> None:
        nonlocal over
        if over == epochs:
            signal.raise_signal(by)
            raise KeyboardInterrupt
        over += 1
        original(self, trainer, pl_module)

    monkeypatch.setattr(History, "on_train_epoch_end", interrupt)
    return lambda: monkeypatch.setattr(History, "on_train_epoch_end", original)


class Spoiling(Callback):
    """Makes a weight infinite after a step, counted from 1."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        if trainer.global_step == self.step:
            with torch.no_grad():
                next(pl_module.parameters()).fill_(float("inf"))


def spoiled_after(step: int) -> list[str]:
    """The overrides that add it to a run."""
    return ["+callbacks.spoil._target_=training.helpers.Spoiling", f"+callbacks.spoil.step={step}"]
