"""The final fit: all training reviews, for as many epochs as validation found best."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
import torch
from commands import metrics_of, run

from imdbclf.checkpoint import read_checkpoint
from imdbclf.training import run as run_module
from imdbclf.training.fit import Interrupted

Capture = pytest.CaptureFixture[str]


def weights_in(run_folder: Path) -> list[torch.Tensor]:
    return list(read_checkpoint(run_folder / "checkpoints/best.ckpt").network.parameters())


def test_the_final_network_is_the_one_of_all_reviews_and_the_best_number_of_epochs(
    here: Path, small: list[str], capsys: Capture
) -> None:
    chosen = [*small, "trainer.max_epochs=4", "optimizer.lr=0.02"]
    said = run(capsys, "train", *chosen, "refit=true", "calibration=temperature", "hydra.run.dir=both").out
    run(capsys, "train", *chosen, "calibration=temperature", "hydra.run.dir=validated")
    both, validated = metrics_of(here / "both"), metrics_of(here / "validated")
    epochs = validated["best_epoch"]
    on_all = [*small, "optimizer.lr=0.02", f"trainer.max_epochs={epochs}", "data.val_size=0"]
    run(capsys, "train", *on_all, "hydra.run.dir=all")
    for ours, theirs in zip(weights_in(here / "both"), weights_in(here / "all"), strict=True):
        assert torch.equal(ours, theirs)
    assert both["test/accuracy"] == metrics_of(here / "all")["test/accuracy"]
    validation = [name for name in validated if name.startswith("val/")]
    assert [both[name] for name in validation] == [validated[name] for name in validation]
    assert both["temperature"] == validated["temperature"] != 1
    assert (both["best_epoch"], both["epochs"], both["refit"]) == (epochs, 4, True)
    assert (here / "both/history.csv").read_text(encoding="utf-8").count("\n") == 5
    assert not (here / "both/final").exists()
    assert f"\nFinal fit: {epochs} epochs on all training reviews. Checkpoint and test metrics are " in said


def test_a_final_fit_needs_a_validation_part(here: Path, small: list[str], capsys: Capture) -> None:
    refused = run(capsys, "train", *small, "refit=true", "data.val_size=0", "hydra.run.dir=run")
    assert refused.status == 2
    assert refused.err == (
        "error: refit=true: needs a validation part to find the epochs; data.val_size must be above 0\n"
    )
    assert not (here / "run").exists()


def test_who_interrupts_the_final_fit_is_told_that_the_validated_network_is_kept(
    here: Path, small: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> NoReturn:
        raise Interrupted

    monkeypatch.setattr(run_module, "refit", interrupted)
    stopped = run(capsys, "train", *small, "refit=true", "hydra.run.dir=run")
    assert stopped.status == 130
    assert "Interrupted in the final fit." in stopped.out
    assert "Go on" not in stopped.out
    assert weights_in(here / "run")
