"""Callbacks of a fit. The history and the two checkpoints are tested with the fits that write them (test_fit.py)."""

from __future__ import annotations

from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import Callback
from model.helpers import loader, quiet_trainer
from rich.console import Console

from imdbclf.model.classifier import ReviewClassifier
from imdbclf.training import callbacks
from imdbclf.training.callbacks import EpochSeed, LiveProgress, epoch_line


def drawn(seed: int, epoch: int) -> list[float]:
    """The first random numbers of an epoch."""
    trainer: Any = SimpleNamespace(current_epoch=epoch)
    EpochSeed(seed).on_train_epoch_start(trainer)
    return torch.rand(3).tolist()


def test_the_random_numbers_of_an_epoch_depend_on_seed_and_epoch_alone() -> None:
    assert drawn(2**32 - 1, 3) == drawn(2**32 - 1, 3)
    found = {tuple(drawn(seed, epoch)) for seed in (0, 1, 2**32 - 1) for epoch in range(4)}
    assert len(found) == 12


def test_an_epoch_without_validation_has_no_validation_metrics_in_its_line() -> None:
    row = {"epoch": 2.0, "train/loss": 0.5, "train/accuracy": 0.75, "seconds": 1.0}
    assert epoch_line(row, 20) == "epoch 2/20   training loss 0.5000, accuracy 0.7500"


class Broken(Callback):
    """Fails in the second epoch."""

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        if trainer.current_epoch == 1:
            msg = "broken"
            raise RuntimeError(msg)


@pytest.mark.parametrize("fails", [False, True])
def test_on_a_terminal_a_bar_shows_the_batches_and_is_gone_after_the_fit(
    monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    terminal = Console(file=StringIO(), force_terminal=True, color_system=None, width=80)
    monkeypatch.setattr(callbacks, "console", lambda: terminal)
    monkeypatch.setattr(callbacks, "SECONDS_BETWEEN_UPDATES", 0)
    trainer = quiet_trainer(max_epochs=2, callbacks=[LiveProgress(), *([Broken()] if fails else [])])
    classifier = ReviewClassifier(40, [4])
    if fails:
        with pytest.raises(RuntimeError, match="broken"):
            trainer.fit(classifier, loader(60, 20))
    else:
        trainer.fit(classifier, loader(60, 20))
    shown = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert f"{3 if fails else 6}/6 batches" in shown
    # The last codes show the cursor and erase the bar.
    assert shown.endswith("\x1b[?25h\r\x1b[1A\x1b[2K")
