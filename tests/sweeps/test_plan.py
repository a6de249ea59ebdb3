"""A grid is all combinations; jobs are composed as Hydra composes them, and named by what they compute."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import DictConfig

from imdbclf.config_files import CONFIGS, PRIMARY
from imdbclf.errors import UserError
from imdbclf.folders.sweep import SweepFolder
from imdbclf.settings import Settings
from imdbclf.sweeps.plan import KEY_LENGTH, PlannedJob, Planner, combinations, computed_key, each_once, parsed


@pytest.fixture(scope="module", autouse=True)
def _hydra() -> Iterator[None]:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        yield


def plan(*overrides: str, axes: Sequence[str] = (), folder: Path = Path("none")) -> PlannedJob:
    loader = GlobalHydra.instance().config_loader()
    return Planner(loader, _sweep_config(), axes, SweepFolder(folder)).plan(["data=sample", *overrides])


@cache
def _sweep_config() -> DictConfig:
    return GlobalHydra.instance().config_loader().load_configuration(PRIMARY, [], RunMode.MULTIRUN)


@cache
def key(*overrides: str) -> str:
    return plan(*overrides).job.folder[-KEY_LENGTH:]


def test_a_jobs_folder_holds_its_choices_without_special_characters() -> None:
    job = plan("model.layers=2", "model.hidden=[32,16]", "loss=mse", axes=["model.layers", "model.hidden", "loss"]).job
    assert job.folder[:-KEY_LENGTH] == "layers-2_hidden-32,16_loss-mse_"


def test_a_job_keeps_the_folder_that_it_has_whatever_axes_it_is_asked_for_by(tmp_path: Path) -> None:
    first = plan("model.layers=1", "loss=mse", axes=["loss"]).job.folder
    (tmp_path / "runs" / first).mkdir(parents=True)
    assert plan("loss=mse", "model.layers=1", axes=["model.layers", "loss"], folder=tmp_path).job.folder == first


def test_choices_have_the_types_of_the_config_and_groups_the_name_of_their_file() -> None:
    axes = ["model.layers", "optimizer.lr", "loss", "model.hidden", "data.val_size"]
    job = plan("model.layers=2", "optimizer.lr=1e-2", "loss=mse", "model.hidden=[8,4]", axes=axes).job
    assert job.choices == {
        "model.layers": 2,
        "optimizer.lr": 0.01,
        "loss": "mse",
        "model.hidden": [8, 4],
        "data.val_size": 10_000,
    }


@pytest.mark.parametrize(
    "other",
    ["model.layers=1", "loss=mse", "seed=1", "trainer.max_epochs=3", "features.columns=500", "optimizer.lr=0.01"],
)
def test_what_changes_a_result_changes_the_key(other: str) -> None:
    assert key(other) != key()


@pytest.mark.parametrize(
    "same", ["model.layers=2", "logger=csv", "experiment=lecture", "fail_fast=true", "shared_batches=0"]
)
def test_what_changes_no_result_does_not(same: str) -> None:
    assert key(same) == key()


def test_reviews_count_by_content_not_by_place(tmp_path: Path, small_files: dict[str, Path]) -> None:
    moved = tmp_path / "moved.jsonl"
    moved.write_bytes(small_files["train"].read_bytes())
    other = tmp_path / "other.jsonl"
    other.write_bytes(small_files["test"].read_bytes())
    here, there, elsewhere = (key("data=files", f"data.train={path}") for path in (small_files["train"], moved, other))
    assert here == there != elsewhere


def test_jobs_that_compute_the_same_are_planned_once() -> None:
    jobs = [plan("model.layers=2"), plan("model.layers=1"), plan("model.hidden=16", axes=["model.hidden"])]
    assert each_once(jobs) == jobs[:2]


def test_a_wrong_value_is_refused_by_key_and_value() -> None:
    with pytest.raises(UserError, match=r"model\.layers=0: must be 1 or more"):
        plan("model.layers=0")


def test_of_two_overrides_for_one_key_the_last_counts() -> None:
    overrides = parsed(["loss=bce,mse", "seed=1", "loss=mse"], GlobalHydra.instance().config_loader())
    assert [override.input_line for override in overrides] == ["seed=1", "loss=mse"]


PINNED = {
    "defaults": ({}, "46b055e9e06e"),
    "others": (
        {
            "features": {"marks": True, "order": 2, "columns": 500, "dropout": 0.5},
            "model": {"layers": 3, "hidden": [8, 4, 2], "activation": "tanh"},
            "optimizer": {"name": "adagrad"},
            "seed": 3,
            "loss": {"name": "mse"},
            "data": {"val_size": 0.2, "batch_size": 64, "layout": "dense"},
            "trainer": {"max_epochs": 3, "precision": "16-mixed"},
        },
        "5ab9290cad71",
    ),
}
"""Settings, and the key that an early version gave them; folders of old sweeps have it in their names."""


@pytest.mark.parametrize(("config", "pinned"), PINNED.values(), ids=PINNED)
def test_the_folders_of_old_sweeps_are_found_by_the_same_keys(
    config: dict[str, Any], pinned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imdbclf.sweeps.plan.__version__", "0.1.0")
    whole = {"experiment": "lecture", **config, "data": {"source": "sample", **config.get("data", {})}}
    assert computed_key(Settings.from_config(whole)) == pinned


def test_old_and_new_names_of_a_setting_give_the_same_key() -> None:
    assert key("features.sentence_ends=true") == computed_key(
        Settings.from_config({**plan().settings.model_dump(), "features": {"marks": True}})
    )


def grid(*overrides: str) -> list[list[str]]:
    return combinations(parsed(overrides, GlobalHydra.instance().config_loader()))


def test_a_grid_has_every_combination_the_last_axis_fastest() -> None:
    assert grid("model.layers=1,3", "data=sample", "seed=range(2)") == [
        ["model.layers=1", "data=sample", "seed=0"],
        ["model.layers=1", "data=sample", "seed=1"],
        ["model.layers=3", "data=sample", "seed=0"],
        ["model.layers=3", "data=sample", "seed=1"],
    ]


@given(st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=4))
def test_a_grid_has_as_many_jobs_as_the_product_of_its_axes(sizes: list[int]) -> None:
    names = ["model.layers", "model.hidden", "seed", "threads"]
    jobs = grid(*(f"{name}=range(1,{size + 1})" for name, size in zip(names, sizes, strict=False)))
    assert len(jobs) == math.prod(sizes) == len({tuple(job) for job in jobs})


def test_no_axis_is_one_job() -> None:
    assert grid("loss=mse") == [["loss=mse"]]


def test_every_choice_of_a_group_is_an_axis_too() -> None:
    assert grid("loss=glob(*)") == [["loss=bce"], ["loss=mse"]]


def test_an_axis_without_values_is_refused() -> None:
    with pytest.raises(UserError, match=r"seed=range\(0\): has no values, so the grid is empty"):
        grid("seed=range(0)")


def test_an_interval_is_for_a_search() -> None:
    with pytest.raises(UserError, match=r"optimizer.lr=interval\(0.1,1\).*hydra/sweeper=search"):
        grid("optimizer.lr=interval(0.1,1)")
