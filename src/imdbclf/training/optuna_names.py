"""Optuna's samplers and pruners by name."""

from __future__ import annotations

import importlib.util
import re
import warnings
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler

from imdbclf.errors import UserError, nearest, one_line

_NO_SAMPLERS = {"base", "basega", "partialfixed"}
"""Bases of others, and one that wraps another."""

_NO_PRUNERS = {"base", "nop", "patient", "wilcoxon"}
"""A base, `null`, one that wraps another, and one for steps that are independent, which epochs are not."""

_NEEDS = {"cmaes": "cmaes"}
"""What Optuna imports at the first trial that needs it."""

_PRUNER_DEFAULTS: dict[str, dict[str, Any]] = {"percentile": {"percentile": 25.0}}
"""Where Optuna has none: end those outside the best quarter."""


def make_sampler(
    name: str, options: Mapping[str, Any], seed: int, space: Mapping[str, list[Any]] | None
) -> BaseSampler:
    """A sampler.

    Args:
        name: of its class, in any spelling.
        options: further arguments of the class.
        seed: of its randomness.
        space: the values on each axis, for the one that goes through a grid; None where an axis has no end of them.

    Raises:
        UserError: if there is no such sampler, or it can't be made so.
    """
    known = _classes(optuna.samplers, "Sampler", _NO_SAMPLERS)
    chosen = _chosen("sampler", name, known, "Sampler")
    if chosen == "grid":
        if space is None:
            msg = "hydra.sweeper.sampler=grid: an interval has no list of values; tpe or random take values from it"
            raise UserError(msg)
        options = {"search_space": space, **options}
    made: BaseSampler = _made("sampler", chosen, known[chosen], {**options, "seed": seed})
    return made


def make_pruner(name: str | None, options: Mapping[str, Any]) -> BasePruner:
    """A pruner; without a name the one that ends nothing.

    Raises:
        UserError: if there is no such pruner, or it can't be made so.
    """
    if name is None:
        return optuna.pruners.NopPruner()
    known = _classes(optuna.pruners, "Pruner", _NO_PRUNERS)
    chosen = _chosen("pruner", name, known, "Pruner")
    made: BasePruner = _made("pruner", chosen, known[chosen], {**_PRUNER_DEFAULTS.get(chosen, {}), **options})
    return made


def plain_name(name: str, suffix: str) -> str:
    """`tpe` for `tpe`, `TPE`, `TPESampler`; `successivehalving` for `successive_halving`."""
    return re.sub(r"[\W_]", "", name).lower().removesuffix(suffix.lower())


def _classes(module: Any, suffix: str, without: set[str]) -> dict[str, Any]:
    names = {plain_name(name, suffix): name for name in module.__all__ if name.endswith(suffix)}
    return {plain: getattr(module, name) for plain, name in sorted(names.items()) if plain not in without}


def _chosen(key: str, name: str, known: Mapping[str, Any], suffix: str) -> str:
    plain = plain_name(name, suffix)
    if plain not in known:
        allowed = ", ".join([*known, *(["null"] if key == "pruner" else [])])
        msg = f"hydra.sweeper.{key}={name}: must be {allowed}{nearest(plain, known)}"
        raise UserError(msg)
    return plain


def _made(key: str, name: str, kind: Any, options: Mapping[str, Any]) -> Any:
    if (needs := _NEEDS.get(name)) and importlib.util.find_spec(needs) is None:
        msg = f"hydra.sweeper.{key}={name}: {needs} is not installed; pip install {needs}"
        raise UserError(msg)
    try:
        with warnings.catch_warnings():
            # Who asks for one by name knows what they ask for.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return kind(**options)
    except (TypeError, ValueError) as error:
        msg = f"hydra.sweeper.{key}={name}: {one_line(error)}; its arguments are hydra.sweeper.{key}_options"
        raise UserError(msg) from error
