"""From a command line to settings: every file of `configs/` composes and is valid; what does not compose is refused."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.utils import get_object
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from imdbclf.config_files import CONFIGS, PRIMARY
from imdbclf.errors import UserError
from imdbclf.settings import Settings
from imdbclf.training.compose import (
    CONFIG_ERRORS,
    explain_composition,
    override,
    validated_ahead,
    with_known_name,
)

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
    # Written settings of earlier versions do not have this key, and their split must stay.
    adapted = defaults.data.model_copy(update={"adapt_val_size": True})
    assert (settings.data, settings.features) == (adapted, defaults.features)
    assert (settings.model, settings.loss) == (defaults.model, defaults.loss)
    assert (settings.optimizer, settings.teacher) == (defaults.optimizer, defaults.teacher)
    assert settings.calibration == defaults.calibration


def test_the_default_experiment_leaves_what_the_data_chose() -> None:
    assert validated_ahead(composed("data=files")).data.val_size == 0.2
    assert validated_ahead(composed("data=files", "experiment=lecture")).data.val_size == 0.2


@pytest.mark.parametrize(
    ("override", "adapts"), [("seed=1", True), ("data.val_size=9", False), ("++data.val_size=0.3", False)]
)
def test_a_number_of_validation_reviews_that_was_typed_is_not_adapted(override: str, adapts: bool) -> None:
    assert validated_ahead(composed(override)).data.adapt_val_size is adapts


@pytest.mark.parametrize(
    "key", ["seed", "data.source", "features.columns", "model.layers", "loss.name", "optimizer.lr"]
)
def test_a_misspelt_key_is_refused_even_when_it_is_added(key: str) -> None:
    with pytest.raises(UserError, match="there is no such key"):
        validated_ahead(composed(f"+{key}x=1"))


REFUSED = {
    "model.hiden=3": "model.hiden: there is no such key; did you mean 'model.hidden'?",
    "+model.hiden=3": "model.hiden=3: there is no such key; did you mean 'model.hidden'?",
    "+optimzer=adam": "optimzer=adam: there is no such key; did you mean 'optimizer'?",
    "loss=bcee": "loss=bcee: must be bce, mse; did you mean 'bce'?",
    "optimizer=adm": "optimizer=adm: must be adagrad, adam, adamw, rmsprop, sgd; did you mean 'adam'?",
    "features=foo": "features=foo: must be ngrams, unigrams",
    "calibration=foo": "calibration=foo: must be none, temperature",
    "hydra.run.dri=x": "hydra.run.dri: there is no such key; did you mean 'hydra.run.dir'?",
    "data.vocab_size=500": "data.vocab_size: there is no such key",
    "+data.vocab_size=500": "data.vocab_size=500: there is no such key",
    "ckpt_path=epoch=3.ckpt": "put values with spaces, commas, ~ or '=' into double quotes",
    "model.hidden=abc": "model.hidden=abc: must be a whole number or a list",
    "optimizer.lr=-1": "optimizer.lr=-1: must be above 0",
    "trainer.devices=2": "trainer.devices=2: must be auto or 1 or a list; a run uses one process and one device; imd",
    "trainer.devices='2'": "trainer.devices=2: must be auto or 1 or a list; a run uses one process",
    "trainer.devices=[0,1]": "trainer.devices=[0, 1]: must be auto or 1 or a list of 1; a run uses one process",
    "trainer.devices='0,1'": "trainer.devices=0,1: must be auto or 1 or a list; a run uses one process",
    "trainer.devices=-1": "trainer.devices=-1: must be auto or 1 or a list; did you mean '1'?; a run uses one process",
    "+trainer.num_nodes=2": "trainer.num_nodes=2: must be 1; a run uses one process",
    "model=2": "model=2: must be mlp",
    "loss=null": "loss=null: must be bce, mse",
    "callbacks=null": "callbacks=null: must be early_stopping, none",
    "logger=[csv,1]": "logger=[csv,1]: must be csv, none, tensorboard",
    "experiment=null": "experiment=null: must be lecture, ",
    "hydra=[-1]": "hydra=[-1]: must be imdbclf",
    "~data=1": "~data=1: must be auto, files, imdb, sample",
    f"seed={'9' * 5000}": "seed=99999999999999999999…: must be shorter; this number has 5,000 digits",
    f"optimizer.lr={'9' * 5000}": "must be shorter; this number has 5,000 digits",
    f"+a{'9' * 5000}": "a9999",
    "+=1e": "+=1e: names no key; settings are given as key=value",
    "optimizer=sgd,adam": "optimizer=sgd,adam: several values are a sweep: imdbclf train -m",
    "seed=range(0,3)": "seed=range(0,3): several values are a sweep: imdbclf train -m",
    "hydra.job.chdir=true": "hydra.job.chdir=true: must be false; relative paths",
    "trainer.devices=100000": "trainer.devices=100000: must be auto or 1 or a list; a run uses one process",
    "trainer.log_every_n_steps=0": "trainer.log_every_n_steps=0: must be 1 or more",
    "trainer.strategy=ddp": "trainer.strategy=ddp: must be auto; a run uses one process",
}


@pytest.mark.parametrize(("override", "message"), REFUSED.items())
def test_what_cannot_be_composed_or_run_is_explained_in_one_line(override: str, message: str) -> None:
    with pytest.raises(CONFIG_ERRORS) as refused:
        validated_ahead(composed(with_known_name(override)))
    assert isinstance(refused.value, Exception)
    explained = str(explain_composition(refused.value, [override]))
    assert message in explained
    assert "\n" not in explained
    assert len(explained) < 500


@pytest.mark.parametrize("devices", ["1", "'1'", "[0]", "auto"])
def test_one_device_may_be_asked_for_in_any_form(devices: str) -> None:
    assert validated_ahead(composed(f"trainer.devices={devices}")).trainer.max_epochs == 20


def test_arguments_of_the_trainer_need_no_plus() -> None:
    typed = ["trainer.log_every_n_steps=5", "trainer.max_time=00:00:10:00", "trainer.max_epochs=3", "features.marks=1"]
    known = [with_known_name(override) for override in typed]
    assert known == [*(f"++{override}" for override in typed[:2]), typed[2], "features.sentence_ends=1"]
    trainer = validated_ahead(composed(*known[:3])).trainer.model_dump()
    assert (trainer["log_every_n_steps"], trainer["max_time"], trainer["max_epochs"]) == (5, "00:00:10:00", 3)


@given(st.text(max_size=30) | st.text("\\\"' a0", max_size=8))
def test_an_override_keeps_any_path(name: str) -> None:
    parsed = OverridesParser.create().parse_override(override("ckpt_path", f"runs/{name}"))
    assert parsed.value() == f"runs/{name}"


def test_an_error_without_words_has_some() -> None:
    assert str(explain_composition(AssertionError())) == (
        "Hydra cannot use a value of hydra.* (AssertionError); leave it out"
    )
