"""The arguments of Lightning's Trainer that a run takes, and their ranges: wrong ones are refused before any work.

`imdbclf.settings` keeps all of them, since checkpoints of older versions may hold what is refused here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from imdbclf.errors import UserError
from imdbclf.setting_errors import explain
from imdbclf.setting_values import AsText, Count
from imdbclf.settings import Settings

AtLeast0 = Annotated[int, Field(ge=0, le=2**31 - 1)]
Share = Annotated[float, Field(gt=0, le=1)]


def _some_time(text: str) -> str:
    if not re.fullmatch(r"\d\d:\d\d:\d\d:\d\d", text) or not re.search("[1-9]", text):
        msg = "a time above 0 as days:hours:minutes:seconds, such as 00:00:10:00"
        raise ValueError(msg)
    return text


Devices = Annotated[Literal["auto", "1"] | Annotated[list[AtLeast0], Field(min_length=1, max_length=1)], AsText]
Precision = Annotated[Literal["32-true", "32", "64-true", "64", "16-mixed", "16", "bf16-mixed", "bf16"], AsText]


class ComposedArguments(BaseModel):
    """Those that `configs/trainer/default.yaml` has."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "cpu"
    devices: Devices = "auto"
    strategy: Literal["auto"] = "auto"
    max_epochs: Count = 20
    precision: Precision | None = None
    gradient_clip_val: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    accumulate_grad_batches: Count = 1
    limit_train_batches: Count | Share | None = None
    limit_val_batches: AtLeast0 | Annotated[float, Field(ge=0, le=1)] | None = None
    check_val_every_n_epoch: Count | None = 1
    num_sanity_val_steps: Annotated[int, Field(ge=-1, le=2**31 - 1)] | None = 0
    deterministic: bool | Literal["warn"] | None = None


class TrainerArguments(ComposedArguments):
    """All of them; what is missing here is set by a run itself, or has no effect on it."""

    barebones: Literal[False] = False
    benchmark: bool | None = None
    detect_anomaly: bool = False
    fast_dev_run: Literal[False] = False
    gradient_clip_algorithm: Literal["norm", "value"] | None = None
    inference_mode: bool = True
    limit_predict_batches: Count | Share | None = None
    limit_test_batches: Count | Share | None = None
    log_every_n_steps: Count | None = None
    max_steps: Literal[-1] | Count = -1
    max_time: Annotated[str, AfterValidator(_some_time)] | None = None
    min_epochs: AtLeast0 | None = None
    min_steps: AtLeast0 | None = None
    num_nodes: Literal[1] = 1
    overfit_batches: AtLeast0 | Share = 0
    profiler: Literal["simple", "advanced", "pytorch"] | None = None
    reload_dataloaders_every_n_epochs: AtLeast0 = 0
    sync_batchnorm: bool = False
    use_distributed_sampler: bool = True
    val_check_interval: Count | Share | None = None


ADDED = TrainerArguments.model_fields.keys() - ComposedArguments.model_fields.keys()
"""Arguments that no config has."""


_ONE_PROCESS = (
    "a run uses one process and one device; imdbclf train -m … hydra/launcher=processes runs the jobs of a sweep on "
    "all cores"
)

_REASONS = {
    **dict.fromkeys(("devices", "num_nodes", "strategy"), _ONE_PROCESS),
    "fast_dev_run": "such a run keeps no checkpoint; experiment=smoke is a quick run",
}
"""Why other values are refused, and what to do."""


def check_trainer(settings: Settings) -> None:
    """Refuse arguments that no Trainer takes, or that cannot work together with the other settings.

    Raises:
        UserError: for the first of them, or if torchrun or the like started several processes.
    """
    if (processes := os.environ.get("WORLD_SIZE") or "1") != "1":
        msg = f"WORLD_SIZE={processes}: must be 1; {_ONE_PROCESS}"
        raise UserError(msg)
    try:
        arguments = TrainerArguments.model_validate(settings.trainer.model_dump())
    except ValidationError as error:
        line = explain(error, TrainerArguments.model_fields)
        reason = _REASONS.get(line.partition("=")[0])
        raise UserError(f"trainer.{line}; {reason}" if reason else f"trainer.{line}") from error
    for message in _conflicts(settings, arguments):
        raise UserError(message)


def _conflicts(settings: Settings, arguments: TrainerArguments) -> Iterator[str]:
    if (arguments.min_epochs or 0) > arguments.max_epochs:
        most = f"{arguments.max_epochs} (trainer.max_epochs)"
        yield f"trainer.min_epochs={arguments.min_epochs}: must be {most} or less"
    if arguments.check_val_every_n_epoch is None and not isinstance(arguments.val_check_interval, int):
        yield "trainer.check_val_every_n_epoch=null: needs a trainer.val_check_interval in steps; give it, or 1"
    if never := _never_validated(settings, arguments):
        if settings.refit:
            yield f"refit=true: needs validation to find the number of epochs; {never} leaves none"
        for name, node in settings.callbacks.items():
            if watches_validation(node):
                yield f"callbacks.{name}: watches {node['monitor']}, but {never} leaves no validation"


def _never_validated(settings: Settings, arguments: TrainerArguments) -> str | None:
    """The settings by which no epoch is validated, if there are some."""
    if not settings.data.validates:
        return "data.val_size=0"
    if arguments.limit_val_batches == 0:
        return f"trainer.limit_val_batches={arguments.limit_val_batches}"
    every, epochs = arguments.check_val_every_n_epoch, arguments.max_epochs
    if every is not None and every > epochs:
        return f"trainer.check_val_every_n_epoch={every} with trainer.max_epochs={epochs}"
    return None


def watches_validation(callback: dict[str, Any]) -> bool:
    """Whether a callback, as a config describes it, decides by a metric of validation."""
    return str(callback.get("monitor", "")).startswith("val/")
