"""The command `imdbclf train`: Hydra around one run, or around the jobs of a sweep."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from imdbclf.folders.run import RunFolder
from imdbclf.settings import RENAMED
from imdbclf.training.compose import CONFIGS, PRIMARY, Refused, current_folder, explain_composition, validated
from imdbclf.training.interrupts import sigterm_as_interrupt
from imdbclf.training.job import run_single, run_swept


def train(arguments: Sequence[str]) -> None:
    """Run `imdbclf train` with Hydra's arguments.

    Raises:
        UserError: for anything that the person at the keyboard can put right.
        SystemExit: with status 130 or 143 if the run was stopped.
    """
    # Hydra's parser knows `-m` only before or after all overrides; people put it anywhere.
    arguments = sorted(map(_with_new_name, arguments), key=lambda argument: argument not in {"-m", "--multirun"})
    with _program("imdbclf train", arguments), _errors_raised(), sigterm_as_interrupt():
        try:
            _with_hydra()
        except Refused as refused:
            raise refused.error from refused
        except (HydraException, OmegaConfBaseException) as error:
            raise explain_composition(error) from error


def task(config: DictConfig) -> float | None:
    """One job; returns the validation loss of the best epoch where there is one."""
    hydra_config = HydraConfig.get()
    run = run_swept if hydra_config.mode is RunMode.MULTIRUN else run_single
    return run(validated(config), RunFolder(current_folder()), list(hydra_config.overrides.task))


# Besides `task` and not around its name, so that worker processes find it by importing this module.
_with_hydra = hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=PRIMARY)(task)


def _with_new_name(argument: str) -> str:
    key, equals, value = argument.partition("=")
    return f"{RENAMED.get(key, key)}{equals}{value}"


@contextmanager
def _program(name: str, arguments: Sequence[str]) -> Iterator[None]:
    """Hydra reads the arguments of the process."""
    before = sys.argv
    sys.argv = [name, *arguments]
    try:
        yield
    finally:
        sys.argv = before


@contextmanager
def _errors_raised() -> Iterator[None]:
    """Hydra prints errors itself, over several lines, unless it is told to raise them."""
    before = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before
