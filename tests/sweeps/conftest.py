"""Sweeps that are run once; tests that change one work on a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from commands import made
from conftest import Once

FOUR = ("model.layers=1,2", "loss=bce,mse")


@pytest.fixture(scope="session")
def quick(small: list[str]) -> list[str]:
    """The overrides of a small run with two epochs."""
    return [*(override for override in small if "max_epochs" not in override), "trainer.max_epochs=2"]


@pytest.fixture(scope="session")
def four(once: Once, quick: list[str], cache_folder: Path) -> Path:
    """The folder of a finished sweep of four jobs; tests only read it."""
    return once("four", lambda folder: made(cache_folder, "train", "-m", *quick, *FOUR, f"hydra.sweep.dir={folder}"))


@pytest.fixture
def copy(four: Path, here: Path) -> Path:
    """A copy of that folder, `sweep` in the working directory."""
    return shutil.copytree(four, here / "sweep")
