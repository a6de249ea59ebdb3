"""The contract over all of `configs/`: every choice composes, binds, validates; a misspelt key is refused."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from imdbclf.errors import UserError
from imdbclf.settings import Settings
from imdbclf.training.compose import CONFIGS, PRIMARY, validated_ahead

GROUPS = (
    "data",
    "features",
    "model",
    "loss",
    "optimizer",
    "teacher",
    "calibration",
    "trainer",
    "callbacks",
    "logger",
    "experiment",
    "sweep",
)
CHOICES = [(group, path.stem) for group in GROUPS for path in sorted((CONFIGS / group).glob("*.yaml"))]


@pytest.fixture(autouse=True)
def _hydra() -> Iterator[None]:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        yield


def composed(*overrides: str) -> DictConfig:
    return compose(PRIMARY, overrides=list(overrides), return_hydra_config=True)


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_composes_and_is_valid(group: str, choice: str) -> None:
    assert isinstance(validated_ahead(composed(f"{group}={choice}")), Settings)


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_begins_with_a_comment_that_says_what_it_is(group: str, choice: str) -> None:
    text = (CONFIGS / group / f"{choice}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# ")


def content(path: Path) -> Any:
    return OmegaConf.to_container(OmegaConf.load(path))


def targets(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "_target_" in node:
            yield node
        for value in node.values():
            yield from targets(value)


TARGETS = [
    (path.relative_to(CONFIGS).as_posix(), node)
    for path in sorted(Path(CONFIGS).rglob("*.yaml"))
    for node in targets(content(path))
]


@pytest.mark.parametrize("node", [node for _, node in TARGETS], ids=[file for file, _ in TARGETS])
def test_every_target_takes_the_arguments_it_is_given(node: dict[str, Any]) -> None:
    arguments = {key: value for key, value in node.items() if not key.startswith("_")}
    inspect.signature(get_object(node["_target_"])).bind(**arguments)


def test_the_default_is_the_lecture() -> None:
    settings = validated_ahead(composed())
    assert settings == validated_ahead(composed("experiment=lecture"))
    assert (settings.data.val_size, settings.data.batch_size, settings.trainer.max_epochs) == (10_000, 512, 20)
    assert (settings.model.widths, settings.model.activation) == ([16, 16], "relu")
    assert (settings.loss.name, settings.optimizer.name, settings.optimizer.lr) == ("bce", "rmsprop", 1e-3)


def test_the_configs_say_the_same_defaults_as_the_settings() -> None:
    settings = validated_ahead(composed())
    defaults = Settings(experiment="lecture")
    assert (settings.data, settings.features) == (defaults.data, defaults.features)
    assert (settings.model, settings.loss) == (defaults.model, defaults.loss)
    assert (settings.optimizer, settings.teacher) == (defaults.optimizer, defaults.teacher)
    assert settings.calibration == defaults.calibration


DEFAULTS = {"data": "auto", "features": "unigrams", "model": "mlp", "loss": "bce", "optimizer": "rmsprop"}
OWN_KEYS = [
    f"{group}.{key}" for group, choice in DEFAULTS.items() for key in content(CONFIGS / group / f"{choice}.yaml")
]


@pytest.mark.parametrize("key", ["seed", "ckpt_path", *OWN_KEYS])
def test_a_misspelt_key_is_refused_even_when_it_is_added(key: str) -> None:
    with pytest.raises(UserError, match="there is no such key"):
        validated_ahead(composed(f"+{key}x=1"))
