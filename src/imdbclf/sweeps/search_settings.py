"""The keys of `configs/hydra/sweeper/search.yaml`, typed, and refused in one line before any work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from omegaconf import DictConfig, OmegaConf
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imdbclf.errors import UserError, nearest
from imdbclf.folders.sweep import SEED
from imdbclf.settings import explain
from imdbclf.sweeps.space import Space

Monitor = Literal["val/loss", "val/accuracy"]
Count = Annotated[int, Field(ge=1)]

_OF_HYDRA = {"_target_", "params"}


class SearchSettings(BaseModel):
    """How to search: what to watch, for how long, with which sampler."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    monitor: Monitor = "val/loss"
    trials: Count | None = 20
    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    workers: Count | None = None
    sampler: str = "tpe"
    sampler_options: dict[str, Any] = {}
    sampler_seed: Annotated[int, Field(ge=0)] = 0

    @classmethod
    def from_config(cls, sweeper: DictConfig) -> SearchSettings:
        """Validate the sweeper's part of a config.

        Raises:
            UserError: with the first thing that is wrong, in one line.
        """
        contents = OmegaConf.to_container(sweeper, resolve=True)
        assert isinstance(contents, dict)  # noqa: S101 - a DictConfig
        own = {str(name): value for name, value in contents.items() if name not in _OF_HYDRA}
        _refuse_pruner({name: own.pop(name) for name in list(own) if name.startswith("pruner")})
        for name, value in own.items():
            if name not in cls.model_fields:
                msg = f"hydra.sweeper.{name}={value}: there is no such key{nearest(name, cls.model_fields)}"
                raise UserError(msg)
        try:
            settings = cls.model_validate(own)
        except ValidationError as error:
            msg = f"hydra.sweeper.{explain(error)}"
            raise UserError(msg) from error
        if settings.trials is None and settings.minutes is None:
            msg = "hydra.sweeper.trials=null: a search without end; give hydra.sweeper.trials or hydra.sweeper.minutes"
            raise UserError(msg)
        return settings

    @property
    def is_loss(self) -> bool:
        """Whether what is watched is to become small."""
        return self.monitor == "val/loss"

    def check_axes(self, space: Space) -> None:
        """Refuse axes over which values of the monitor can't be compared.

        Raises:
            UserError: naming the axis.
        """
        if SEED in space.axes:
            msg = "seed: can't be searched over, since the luckiest seed is no better; search with one, then repeat"
            raise UserError(msg)
        for axis in ("loss", "loss.name"):
            if axis in space.axes and self.is_loss:
                msg = (
                    f"{axis}: losses of different kinds can't be compared, so that val/loss can't choose between them; "
                    "say hydra.sweeper.monitor=val/accuracy"
                )
                raise UserError(msg)


def _refuse_pruner(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if value is not None:
            msg = (
                f"hydra.sweeper.{name}={value}: pruning was removed; train fewer epochs (trainer.max_epochs), or add "
                "callbacks=early_stopping"
            )
            raise UserError(msg)
