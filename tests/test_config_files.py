"""What the comments of `configs/` say about options and keys."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from imdbclf.config_files import CONFIGS, completions, group_names, options, read_option

FILES = sorted(CONFIGS.rglob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CONFIGS).as_posix())
def test_keys_and_values_are_those_that_yaml_reads(path: Path) -> None:
    read = read_option(path).keys
    for key, value in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        if read and not isinstance(value, dict | list):
            assert yaml.safe_load(read[key].value) == value


def test_a_group_in_a_folder_of_another_is_a_group_too() -> None:
    assert {"model", "experiment", "hydra", "hydra/launcher"} <= set(group_names())


def test_an_option_means_the_first_sentence_of_its_comment() -> None:
    assert options("experiment")["lecture"].meaning == "The lecture: 20 epochs on 15,000 reviews, validated on 10,000"
    assert options("sweep")["lecture_search"].meaning.endswith("and the learning rate, for a search")


def test_a_comment_is_beside_its_key_or_above_it(tmp_path: Path) -> None:
    lines = [
        "# About the file. More.",
        "a: 1  # beside",
        "# Above",
        "# it.",
        "b:",
        "  c: x",
        "",
        "# not of d",
        "",
        "d: []",
    ]
    left_out = ["# e: 2  # left out", "# f: 3"]
    (tmp_path / "x.yaml").write_text("\n".join(lines + left_out), encoding="utf-8")
    meaning, keys = read_option(tmp_path / "x.yaml")
    assert meaning == "About the file"
    beside = {"a": ("1", "beside"), "b": ("", "Above it."), "b.c": ("x", "")}
    assert keys == beside | {"d": ("[]", ""), "e": ("2", "left out")}


@pytest.mark.parametrize(
    ("words", "incomplete", "completed"),
    [
        ([], "los", ["loss=bce", "loss=mse"]),
        (["seed=1"], "loss=m", ["loss=mse"]),
        # As bash splits `loss=` and `loss=m`.
        (["loss"], "", ["bce", "mse"]),
        (["seed", "=", "1", "loss", "="], "m", ["mse"]),
        (["seed", "="], "", []),
        ([], "model.l", ["model.layers=2"]),
        ([], "hydra.launcher.n", ["hydra.launcher.n_jobs=-1"]),
        (["-m"], "hydra/sweeper=g", ["hydra/sweeper=grid"]),
    ],
)
def test_a_word_is_completed_to_options_and_keys(words: list[str], incomplete: str, completed: list[str]) -> None:
    assert [text for text, meaning in completions(words, incomplete) if meaning] == completed
