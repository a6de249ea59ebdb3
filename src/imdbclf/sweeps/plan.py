"""From overrides to planned jobs: every combination of a grid, composed, validated, and named by what it computes."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from imdbclf import __version__
from imdbclf.console import tell
from imdbclf.data.sweep_cache import content_key, decided_source, read_own_files
from imdbclf.errors import UserError
from imdbclf.folders.sweep import RUNS, Choice, SweepFolder, SweepJob
from imdbclf.settings import Settings
from imdbclf.training.compose import (
    CONFIG_ERRORS,
    explain_composition,
    folder_name,
    override,
    short_key,
    validated_ahead,
)

KEY_LENGTH = 12
"""Hexadecimal digits of a key: two of 10,000 jobs collide once in some five million sweeps."""


@dataclass(frozen=True)
class PlannedJob:
    """A composed and valid job: its entry in the sweep's manifest, and what launchers need."""

    job: SweepJob
    settings: Settings
    config: DictConfig

    @property
    def launch_overrides(self) -> list[str]:
        """The overrides by which a launcher composes the job again."""
        return [*self.job.overrides, override("hydra.sweep.subdir", f"{RUNS}/{self.job.folder}")]


def key_of(parsed_override: Override) -> str:
    """The key without Hydra's prefix for added keys (`+` or `++`)."""
    return parsed_override.get_key_element().lstrip("+~")


def parsed(overrides: Sequence[str], loader: ConfigLoader) -> list[Override]:
    """The overrides as Hydra parses them. If a key has several, the last one counts."""
    by_key: dict[str, Override] = {}
    for one in OverridesParser.create(config_loader=loader).parse_overrides(list(overrides)):
        by_key.pop(key_of(one), None)
        by_key[key_of(one)] = one
    return list(by_key.values())


def combinations(overrides: Sequence[Override]) -> list[list[str]]:
    """The overrides of every job of a grid: all combinations of the axes' values, the last axis fastest.

    Raises:
        UserError: if an axis has no values, or is an interval, which only a search can take values from.
    """
    choices = []
    for one in overrides:
        if not one.is_sweep_override():
            choices.append([str(one.input_line)])
            continue
        if not one.is_discrete_sweep():
            msg = f"{one.input_line}: an interval has no list of values; search in it with hydra/sweeper=search"
            raise UserError(msg)
        choices.append([f"{one.get_key_element()}={value}" for value in one.sweep_string_iterator()])
        if not choices[-1]:
            raise UserError(f"{one.input_line}: has no values, so the grid is empty")
    return [list(job) for job in itertools.product(*choices)]


class Planner:
    """Composes jobs as launchers do, and names them by their values on the axes.

    `config` is the sweep's own. A job that has a run folder in the sweep's keeps it, even if the axes are others now.
    """

    def __init__(self, loader: ConfigLoader, config: DictConfig, axes: Sequence[str], folder: SweepFolder) -> None:
        self.loader, self.config, self.axes = loader, config, list(axes)
        names = [path.name for path in folder.runs.iterdir()] if folder.runs.is_dir() else []
        self._has_warned = False
        self._known = {name[-KEY_LENGTH:]: name for name in names}

    def plan(self, overrides: Sequence[str]) -> PlannedJob:
        """Compose and validate one job.

        Raises:
            UserError: for the first wrong key or value, or if Hydra cannot compose it, or its files cannot be read.
        """
        try:
            config = self.loader.load_sweep_config(self.config, list(overrides))
            settings = validated_ahead(config)
        except CONFIG_ERRORS as error:
            raise explain_composition(error, overrides) from error
        chosen = decided_source(settings.data)
        if chosen.warning and not self._has_warned:
            self._has_warned = True
            tell(chosen.warning)
        read_own_files(chosen.settings, sentence_ends=settings.features.sentence_ends)
        # Validation passes the config to Hydra, which makes it read-only.
        OmegaConf.set_readonly(config.hydra, value=None)
        choices = {axis: _choice(config, axis) for axis in self.axes}
        held = "_".join(f"{short_key(axis)}-{_shown(value)}" for axis, value in choices.items())
        key = computed_key(settings)
        folder = self._known.get(key) or f"{folder_name(held)}_{key}".lstrip("_")
        config.hydra.sweep.subdir = f"{RUNS}/{folder}"
        return PlannedJob(SweepJob(folder, list(overrides), choices), settings, config)


def computed_key(settings: Settings) -> str:
    """A hash of all that decides what a run computes: settings, this package's version, and the reviews.

    The place of the reviews does not count, only their content.
    """
    contents = settings.computed()
    data = contents.pop("data")
    reviews = content_key(decided_source(settings.data).settings)
    text = json.dumps([__version__, contents, data, reviews], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def each_once(jobs: Sequence[PlannedJob]) -> list[PlannedJob]:
    """The jobs without those that compute what an earlier one does."""
    first: dict[str, PlannedJob] = {}
    for planned in jobs:
        first.setdefault(planned.job.folder[-KEY_LENGTH:], planned)
    return list(first.values())


def _choice(config: DictConfig, axis: str) -> Choice:
    chosen = config.hydra.runtime.choices.get(axis)
    value = chosen if chosen is not None else OmegaConf.select(config, axis)
    plain: Any = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
    return plain if isinstance(plain, bool | int | float | str | list | None) else str(plain)


def _shown(value: Choice) -> str:
    if isinstance(value, float):
        # A search chooses numbers of 17 digits; the hash separates those that look the same.
        return f"{value:.4g}"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
