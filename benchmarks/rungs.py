"""The ladder's rungs, its peers and the published accuracies (`ladder.toml`): what is compared, not how it went.

What differs between two rungs is read from their composed settings.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from benchmarks.command import MEASURED, Fixed

Settings = dict[str, Any]
"""Settings by their keys, as an override names them."""


class Rung(Fixed):
    """A rung: its name, what is changed and why, the overrides of its command, what it is compared with, its label."""

    name: str
    what: str
    overrides: str
    beside: str | None = None
    label: Literal["above", "below"] = "above"

    @property
    def command(self) -> list[str]:
        """All overrides without the seed."""
        return self.overrides.split()


class Peer(Fixed):
    """A peer: its name, what it is, its script of `benchmarks.peers` with arguments, its seeds and its input."""

    name: str
    what: str
    script: str
    arguments: tuple[str, ...] = ()
    seeds: int = 0
    starts_at: Literal["texts", "numbers"] = "texts"


_FILE = tomllib.loads((MEASURED / "ladder.toml").read_text(encoding="utf-8"))
RUNGS = [Rung.model_validate(rung) for rung in _FILE["rungs"]]
PEERS = [Peer.model_validate(peer) for peer in _FILE["peers"]]
PUBLISHED: dict[str, float] = _FILE["published"]

_NO_RESULT = {"seed", "experiment", "threads", "ckpt_path", "fail_fast", "shared_batches", "logger"}
"""Settings that a rung does not decide."""


def composed(overrides: list[str]) -> Settings:
    """The settings of a command, validated, by their keys."""
    # Hydra takes a second to import, which pages do without.
    from hydra import compose, initialize_config_dir  # noqa: PLC0415

    from imdbclf.training.compose import CONFIGS, PRIMARY, validated_ahead  # noqa: PLC0415

    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        settings = validated_ahead(compose(PRIMARY, overrides=overrides, return_hydra_config=True))
    kept = {name: value for name, value in settings.model_dump(mode="json").items() if name not in _NO_RESULT}
    return _flat(kept)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Settings:
    flat: Settings = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def changed(below: Settings, above: Settings) -> Settings:
    """The settings of a rung that the one below does not have, or has with another value."""
    return {key: value for key, value in above.items() if key not in below or below[key] != value}


def compared_with(rungs: Sequence[Rung] = RUNGS) -> dict[str, str]:
    """The rung that each is compared with, by their names; the lowest with none."""
    return {above.name: above.beside or below.name for below, above in pairwise(rungs)}
