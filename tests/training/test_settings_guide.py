"""Every setting has a meaning, and `imdbclf train --help` says it."""

from __future__ import annotations

import pytest
from commands import run

from imdbclf.config_files import group_names, options
from imdbclf.setting_values import ACTIVATIONS, FORMULAS
from imdbclf.settings import settings_keys
from imdbclf.training.settings_guide import WIDTH, all_groups, train_help
from imdbclf.training.trainer_arguments import TrainerArguments

GROUPS = {group.name: group for group in all_groups()}
SETTINGS = {one.key: one for group in GROUPS.values() for one in group.settings}


def test_every_setting_is_there_and_has_a_meaning() -> None:
    known = {*settings_keys(), *(f"trainer.{key}" for key in TrainerArguments.model_fields)}
    of_groups = {*group_names(), "loss.name", "optimizer.name", "calibration.name"}
    assert known - of_groups <= set(SETTINGS)
    assert [key for key, one in SETTINGS.items() if not one.meaning] == []


def test_every_option_is_there_and_has_a_meaning() -> None:
    assert {name: set(group.options) for name, group in GROUPS.items() if name} == {
        name: set(options(name)) for name in group_names() if name != "hydra"
    }
    assert [name for group in GROUPS.values() for name, meaning in group.options.items() if not meaning] == []


@pytest.mark.parametrize(
    ("key", "allowed"),
    {
        "features.order": "a whole number (1 or more, 3 or less)",
        "features.smoothing": "a number (above 0)",
        "data.val_size": "a whole number (0 or more) or a number (0 or more, below 1)",
        "data.train": "a text (not empty) or null",
        "data.layout": "csr, dense",
        "model.hidden": "a whole number (1 or more, 1000000 or less) or a list, each a whole number "
        "(1 or more, 1000000 or less)",
        "data.header": "true or false",
        "trainer.deterministic": "true or false or warn or null",
        "seed": "a whole number (0 or more)",
    }.items(),
)
def test_what_is_allowed_is_said_in_the_words_of_a_refusal(key: str, allowed: str) -> None:
    assert SETTINGS[key].allowed == allowed


def test_a_setting_says_its_default_and_what_is_allowed() -> None:
    assert SETTINGS["model.layers"][1:5] == ("2", "", "hidden layers", "a whole number (1 or more, 1000 or less)")
    assert SETTINGS["optimizer.beta_1"][1:3] == ("0.9", "adam")
    assert SETTINGS["model.activation"].choices == {name: FORMULAS[name] for name in ACTIVATIONS}
    assert SETTINGS["trainer.max_time"].default == "null"


def test_the_help_has_them_all_in_110_columns(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, "train", "--help")
    assert (result.status, result.err, result.out) == (0, "", f"{train_help()}\n")
    assert max(map(len, result.out.splitlines())) <= WIDTH
    for key in SETTINGS:
        assert f"   {key}=" in result.out
    for text in (" * experiment=lecture  ", "     selu  ", "4 epochs on all 25,000", "(optimizer=sgd)"):
        assert text in result.out
