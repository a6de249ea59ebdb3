"""The grid: all combinations in the order given; nothing to multiply is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hypothesis import given
from hypothesis import strategies as st

from imdbclf.errors import UserError
from imdbclf.sweeps.grid import multiplied_out
from imdbclf.sweeps.plan import parsed
from imdbclf.training.compose import CONFIGS


@pytest.fixture(scope="module", autouse=True)
def _hydra() -> Iterator[None]:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        yield


def jobs(*overrides: str) -> list[list[str]]:
    return multiplied_out(parsed(overrides, GlobalHydra.instance().config_loader()))


def test_a_grid_is_multiplied_out_the_last_axis_fastest() -> None:
    assert jobs("model.layers=1,3", "data=sample", "seed=range(2)") == [
        ["model.layers=1", "data=sample", "seed=0"],
        ["model.layers=1", "data=sample", "seed=1"],
        ["model.layers=3", "data=sample", "seed=0"],
        ["model.layers=3", "data=sample", "seed=1"],
    ]


@given(st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=4))
def test_a_grid_has_as_many_jobs_as_the_product_of_its_axes(sizes: list[int]) -> None:
    names = ["model.layers", "model.hidden", "seed", "threads"]
    grid = jobs(*(f"{name}=range(1,{size + 1})" for name, size in zip(names, sizes, strict=False)))
    assert len(grid) == math.prod(sizes) == len({tuple(job) for job in grid})


def test_no_axis_is_one_job() -> None:
    assert jobs("loss=mse") == [["loss=mse"]]


def test_every_choice_of_a_group_is_an_axis_too() -> None:
    assert jobs("loss=glob(*)") == [["loss=bce"], ["loss=mse"]]


def test_an_axis_without_values_is_refused() -> None:
    with pytest.raises(UserError, match=r"seed=range\(0\): has no values, so the grid is empty"):
        jobs("seed=range(0)")


def test_an_interval_is_for_a_search() -> None:
    with pytest.raises(UserError, match=r"optimizer.lr=interval\(0.1,1\).*hydra/sweeper=search"):
        jobs("optimizer.lr=interval(0.1,1)")
