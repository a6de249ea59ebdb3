"""Arguments of the Trainer that cannot work are refused before any work; those that can are taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from commands import metrics_of, run
from settings_helpers import settings_of

from imdbclf.errors import UserError
from imdbclf.training.trainer_arguments import check_trainer

STOPPING = {"stop": {"_target_": "lightning.pytorch.callbacks.EarlyStopping", "monitor": "val/loss"}}


@pytest.mark.parametrize(
    ("argument", "value", "allowed"),
    [
        ("fast_dev_run", True, "False; such a run keeps no checkpoint; experiment=smoke is a quick run"),
        ("limit_train_batches", 0, "1 or more or above 0"),
        ("limit_train_batches", 1.5, "a whole number or 1 or less"),
        ("limit_val_batches", -1, "0 or more"),
        ("max_steps", 0, "-1 or 1 or more"),
        ("max_time", "00:00:00:00", "a time above 0 as days:hours:minutes:seconds, such as 00:00:10:00"),
        ("max_time", "1 h", "a time above 0 as days:hours:minutes:seconds, such as 00:00:10:00"),
        ("accelerator", "warp", "auto, cpu, gpu, cuda or mps"),
        ("overfit_batches", -0.5, "a whole number or above 0"),
        ("gradient_clip_val", -1, "0 or more"),
        ("gradient_clip_algorithm", "nrom", "norm or value; did you mean 'norm'?"),
        ("accumulate_grad_batches", -1, "1 or more"),
        ("check_val_every_n_epoch", -1, "1 or more"),
        ("deterministic", "abc", "true or false or warn"),
        ("log_every_n_steps", 0, "1 or more"),
        ("max_epochs", 2**31, "2147483647 or less"),
    ],
)
def test_a_value_out_of_its_range_is_refused(argument: str, value: Any, allowed: str) -> None:
    with pytest.raises(UserError) as refused:
        check_trainer(settings_of(trainer={"max_epochs": 3}).model_copy(update={"trainer": _Loose({argument: value})}))
    shown = str(value).lower() if isinstance(value, bool) else value
    assert str(refused.value) == f"trainer.{argument}={shown}: must be {allowed}"


class _Loose(dict[str, Any]):
    """Arguments that no settings have checked."""

    def model_dump(self) -> dict[str, Any]:
        return dict(self)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"trainer": {"min_epochs": 5, "max_epochs": 4}},
            "trainer.min_epochs=5: must be 4 (trainer.max_epochs) or less",
        ),
        (
            {"trainer": {"check_val_every_n_epoch": None}},
            "trainer.check_val_every_n_epoch=null: needs a trainer.val_check_interval in steps; give it, or 1",
        ),
        (
            {"refit": True, "trainer": {"check_val_every_n_epoch": 5, "max_epochs": 4}},
            "refit=true: needs validation to find the number of epochs; trainer.check_val_every_n_epoch=5 with "
            "trainer.max_epochs=4 leaves none",
        ),
        (
            {"refit": True, "trainer": {"limit_val_batches": 0}},
            "refit=true: needs validation to find the number of epochs; trainer.limit_val_batches=0 leaves none",
        ),
        (
            {"callbacks": STOPPING, "data": {"val_size": 0}},
            "callbacks.stop: watches val/loss, but data.val_size=0 leaves no validation",
        ),
    ],
)
def test_what_cannot_work_together_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as refused:
        check_trainer(settings_of(**config))
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_steps": 7, "max_time": "00:00:10:00", "precision": "bf16-mixed", "devices": [0], "deterministic": "warn"},
        {"limit_train_batches": 0.5, "limit_val_batches": 2, "val_check_interval": 3, "precision": 64},
        {"check_val_every_n_epoch": None, "val_check_interval": 3, "overfit_batches": 2, "profiler": "simple"},
    ],
    ids=str,
)
def test_what_can_work_is_taken(arguments: dict[str, Any]) -> None:
    check_trainer(settings_of(trainer=arguments))


def test_early_stopping_and_rare_validation_work_with_a_final_fit(
    here: Path, small: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["refit=true", "callbacks=early_stopping", "trainer.check_val_every_n_epoch=2", "trainer.precision=64-true"]
    result = run(capsys, "train", *small, *more, "hydra.run.dir=run")
    assert result.status == 0, result.err
    assert metrics_of(here / "run")["best_epoch"] == 2
