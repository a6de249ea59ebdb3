"""Optuna's samplers by name."""

from __future__ import annotations

import importlib.util
import re
import warnings
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.samplers import BaseSampler

from imdbclf.errors import UserError, nearest, one_line

_NO_SAMPLERS = {"base", "basega", "partialfixed"}
"""Bases of others, and one that wraps another."""

_NEEDS = {"cmaes": "cmaes"}
"""What Optuna imports at the first trial that needs it."""


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
    known = {plain_name(one): one for one in optuna.samplers.__all__ if one.endswith("Sampler")}
    chosen = plain_name(name)
    if chosen not in known or chosen in _NO_SAMPLERS:
        allowed = sorted(known.keys() - _NO_SAMPLERS)
        msg = f"hydra.sweeper.sampler={name}: must be {', '.join(allowed)}{nearest(chosen, allowed)}"
        raise UserError(msg)
    if chosen == "grid":
        if space is None:
            msg = "hydra.sweeper.sampler=grid: an interval has no list of values; tpe or random take values from it"
            raise UserError(msg)
        options = {"search_space": space, **options}
    made: BaseSampler = _made(chosen, getattr(optuna.samplers, known[chosen]), {**options, "seed": seed})
    return made


def plain_name(name: str) -> str:
    """`tpe` for `tpe`, `TPE`, `TPESampler`; `bruteforce` for `brute_force`."""
    return re.sub(r"[\W_]", "", name).lower().removesuffix("sampler")


def _made(name: str, kind: Any, options: Mapping[str, Any]) -> Any:
    if (needs := _NEEDS.get(name)) and importlib.util.find_spec(needs) is None:
        msg = f"hydra.sweeper.sampler={name}: {needs} is not installed; pip install {needs}"
        raise UserError(msg)
    try:
        with warnings.catch_warnings():
            # Who asks for one by name knows what they ask for.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return kind(**options)
    except (TypeError, ValueError) as error:
        msg = f"hydra.sweeper.sampler={name}: {one_line(error)}; its arguments are hydra.sweeper.sampler_options"
        raise UserError(msg) from error
