"""Wrong settings are refused in one line: key, value, what is allowed, the most similar name."""

from __future__ import annotations

from typing import Any

import pytest
from settings_helpers import optimizer, refusal, settings_of

from imdbclf.errors import UserError
from imdbclf.settings import Settings


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"features": {"columns": 2}}, "features.columns=2: must be 3 or more"),
        ({"features": {"columns": 10.5}}, "features.columns=10.5: must be a whole number"),
        ({"features": {"columns": "100"}}, "features.columns=100: must be a whole number"),
        ({"features": {"columns": None}}, "features.columns=null: must be a whole number"),
        ({"features": {"order": 0}}, "features.order=0: must be 1 or more"),
        ({"features": {"order": 4}}, "features.order=4: must be 3 or less"),
        (
            {"features": {"selection": "frequent"}},
            "features.selection=frequent: must be frequency, log_odds or z_score; did you mean 'frequency'?",
        ),
        ({"features": {"min_documents": 0}}, "features.min_documents=0: must be 1 or more"),
        ({"features": {"weighting": "tfidf"}}, "features.weighting=tfidf: must be multi_hot or log_odds"),
        ({"features": {"unit_length": 1}}, "features.unit_length=1: must be true or false"),
        ({"features": {"smoothing": 0}}, "features.smoothing=0: must be above 0"),
        ({"features": {"smoothing": float("inf")}}, "features.smoothing=inf: must be a finite number"),
        ({"features": {"dropout": 1}}, "features.dropout=1: must be below 1"),
        ({"features": {"dropout": -0.1}}, "features.dropout=-0.1: must be 0 or more"),
        ({"features": 5}, "features=5: must be a group of keys, as a file in configs/ gives"),
        ({"data": {"batch_size": 0}}, "data.batch_size=0: must be 1 or more"),
        ({"data": {"batch_size": 51.2}}, "data.batch_size=51.2: must be a whole number"),
        ({"data": {"batch_size": True}}, "data.batch_size=true: must be a whole number"),
        ({"data": {"val_size": -1}}, "data.val_size=-1: must be 0 or more"),
        ({"data": {"val_size": 1.5}}, "data.val_size=1.5: must be a whole number or below 1"),
        ({"data": {"val_size": 1.0}}, "data.val_size=1.0: must be a whole number or below 1"),
        ({"data": {"val_size": "x"}}, "data.val_size=x: must be a whole number or a number"),
        ({"data": {"layout": "coo"}}, "data.layout=coo: must be csr or dense"),
        ({"data": {"layout": "denes"}}, "data.layout=denes: must be csr or dense; did you mean 'dense'?"),
        ({"data": {"layout": "a\nb"}}, "data.layout=a b: must be csr or dense"),
        ({"data": {"layout": "y" * 100}}, f"data.layout={'y' * 59}…: must be csr or dense"),
        ({"data": {"source": 5}}, "data.source=5: must be a text"),
        ({"data": {"source": ""}}, "data.source=: must be a text that is not empty"),
        ({"data": {"train": ""}}, "data.train=: must be a text that is not empty"),
        ({"data": {"text_column": None}}, "data.text_column=null: must be a text"),
        ({"data": {"cache_dir": False}}, "data.cache_dir=false: must be a text"),
        ({"data": 5}, "data=5: must be a group of keys, as a file in configs/ gives"),
        ({"data": None}, "data=null: must be a group of keys, as a file in configs/ gives"),
        ({"model": {"layers": 0}}, "model.layers=0: must be 1 or more"),
        ({"model": {"layers": True}}, "model.layers=true: must be a whole number"),
        ({"model": {"layers": 10_000_000}}, "model.layers=10000000: must be 1000 or less"),
        ({"model": {"members": 10**9}}, "model.members=1000000000: must be 1000 or less"),
        ({"model": {"hidden": 10**9}}, "model.hidden=1000000000: must be 1000000 or less or a list"),
        ({"teacher": {"members": 10**9}}, "teacher.members=1000000000: must be 1000 or less"),
        ({"threads": 100_000}, "threads=100000: must be 1000 or less"),
        ({"features": {"min_documents": 1e30}}, "features.min_documents=1e+30: must be a whole number"),
        ({"features": {"columns": 10**12}}, "features.columns=1000000000000: must be 2147483647 or less"),
        ({"model": {"hidden": "x"}}, "model.hidden=x: must be a whole number or a list"),
        (
            {"model": {"hidden": [16]}},
            "model.hidden=[16]: one width, or one for each of model.layers=2 hidden layers",
        ),
        (
            {"model": {"layers": 1, "hidden": [16, 8]}},
            "model.hidden=[16, 8]: one width, or one for each of model.layers=1 hidden layers",
        ),
        (
            {"model": {"activation": "rleu"}},
            "model.activation=rleu: must be relu, tanh, sigmoid, gelu, elu, selu, silu or leaky_relu; "
            "did you mean 'relu'?",
        ),
        (
            {"model": {"activation": "softmax"}},
            "model.activation=softmax: must be relu, tanh, sigmoid, gelu, elu, selu, silu or leaky_relu",
        ),
        ({"model": {"dropout": 1}}, "model.dropout=1: must be below 1"),
        ({"model": {"dropout": -0.1}}, "model.dropout=-0.1: must be 0 or more"),
        ({"model": {"dropout": True}}, "model.dropout=true: must be a number"),
        ({"loss": {"name": "hinge"}}, "loss.name=hinge: must be bce or mse"),
        ({"loss": {"name": "mes"}}, "loss.name=mes: must be bce or mse; did you mean 'mse'?"),
        (optimizer(lr=0), "optimizer.lr=0: must be above 0"),
        (optimizer(lr=5e-324), "optimizer.lr=5e-324: must be 1e-37 or more"),
        (optimizer(lr=1e300), "optimizer.lr=1e+300: must be 1e+37 or less"),
        (optimizer(lr="fast"), "optimizer.lr=fast: must be a number"),
        (optimizer(lr=float("inf")), "optimizer.lr=inf: must be a finite number"),
        (optimizer(lr=float("nan")), "optimizer.lr=nan: must be a finite number"),
        (optimizer(rho=1), "optimizer.rho=1: must be below 1"),
        (optimizer(epsilon=0), "optimizer.epsilon=0: must be above 0"),
        (optimizer(momentum=1.0), "optimizer.momentum=1.0: must be below 1"),
        (optimizer(weight_decay=-1), "optimizer.weight_decay=-1: must be 0 or more"),
        (optimizer("adam", beta_1=1), "optimizer.beta_1=1: must be below 1"),
        (optimizer("adamw", beta_2=-1), "optimizer.beta_2=-1: must be 0 or more"),
        (optimizer("sgd", nesterov=1), "optimizer.nesterov=1: must be true or false"),
        (optimizer("sgd", nesterov=True), "optimizer.nesterov=true: only with a momentum above 0"),
        ({"optimizer": None}, "optimizer=null: must be a group of keys, as a file in configs/ gives"),
        ({"calibration": {"name": "foo"}}, "calibration.name=foo: must be none or temperature"),
        (
            {"calibration": {"false_negative_cost": 5}, "data": {"val_size": 0}},
            "calibration.false_negative_cost=5: needs a validation part; give a data.val_size above 0, or "
            "calibration.false_negative_cost=1",
        ),
        (
            {"calibration": {"name": "temperature"}, "data": {"val_size": 0}},
            "calibration=temperature: needs a validation part; give a data.val_size above 0, or calibration=none",
        ),
        ({"seed": -1}, "seed=-1: must be 0 or more"),
        ({"seed": 1.5}, "seed=1.5: must be a whole number"),
        ({"seed": None}, "seed=null: must be a whole number"),
        ({"experiment": None}, "experiment=null: must be a text"),
        ({"ckpt_path": 5}, "ckpt_path=5: must be a text"),
        ({"trainer": {"max_epochs": 0}}, "trainer.max_epochs=0: must be 1 or more"),
        ({"trainer": {"max_epochs": None}}, "trainer.max_epochs=null: must be a whole number"),
        ({"trainer": True}, "trainer=true: must be a group of keys, as a file in configs/ gives"),
        ({"callbacks": 5}, "callbacks=5: must be a group of keys, as a file in configs/ gives"),
        ({"logger": None}, "logger=null: must be a group of keys, as a file in configs/ gives"),
        ({"features": {"columns": 2, "dropout": 1}}, "features.columns=2: must be 3 or more"),
    ],
    ids=lambda value: value.split(":")[0] if isinstance(value, str) else "",
)
def test_a_wrong_value_is_refused_with_what_is_allowed(config: dict[str, Any], message: str) -> None:
    assert refusal(**config) == message


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"dta": {}}, "dta={}: there is no such key; did you mean 'data'?"),
        ({"seeed": 3}, "seeed=3: there is no such key; did you mean 'seed'?"),
        ({"batch_size": 4}, "batch_size=4: there is no such key; did you mean 'data.batch_size'?"),
        ({"features": {"colums": 5}}, "features.colums=5: there is no such key; did you mean 'features.columns'?"),
        ({"data": {"vocab_size": 5}}, "data.vocab_size=5: there is no such key; did you mean 'data.val_size'?"),
        ({"model": {"hiden": 3}}, "model.hiden=3: there is no such key; did you mean 'model.hidden'?"),
        ({"loss": {"nam": "bce"}}, "loss.nam=bce: there is no such key; did you mean 'loss.name'?"),
        (optimizer(momentun=0.5), "optimizer.momentun=0.5: there is no such key; did you mean 'optimizer.momentum'?"),
        (
            optimizer("adam", beta1=0.5),
            "optimizer.beta1=0.5: there is no such key; did you mean 'optimizer.beta_1'?",
        ),
        ({"xyzzy": 1}, "xyzzy=1: there is no such key"),
    ],
    ids=lambda value: value.split(":")[0] if isinstance(value, str) else "",
)
def test_an_unknown_key_is_refused_with_the_nearest(config: dict[str, Any], message: str) -> None:
    assert refusal(**config) == message


def test_an_unknown_optimizer_is_named_with_those_there_are() -> None:
    message = refusal(**optimizer("rmsprob"))
    assert message.startswith("optimizer.name=rmsprob: must be rmsprop, adam, adamw")
    assert message.endswith("; did you mean 'rmsprop'?")


def test_an_optimizer_without_a_name_does_not_show_its_settings_as_one() -> None:
    message = refusal(optimizer={"lr": 0.1})
    assert message.startswith("optimizer.name")
    assert "0.1" not in message


@pytest.mark.parametrize(("name", "key"), [("adam", "momentum"), ("rmsprop", "beta_1"), ("sgd", "rho")])
def test_a_key_of_another_optimizer_is_not_offered_as_its_own_correction(name: str, key: str) -> None:
    message = refusal(**optimizer(name, **{key: 0.5}))
    assert message.startswith(f"optimizer.{key}=0.5: there is no such key")
    assert f"did you mean 'optimizer.{key}'?" not in message


@pytest.mark.parametrize("kind", ["callbacks", "logger"])
def test_a_callback_or_logger_that_is_no_group_of_keys_is_named(kind: str) -> None:
    assert refusal(**{kind: {"mine": 5}}) == f"{kind}.mine=5: must be a group of keys, as a file in configs/ gives"


def test_the_largest_seed_is_named_to_the_last_digit() -> None:
    assert settings_of(seed=2**32 - 1).seed == 4_294_967_295
    message = refusal(seed=2**32).replace(",", "")
    assert message.removeprefix("seed=4294967296: must be ") in {"below 4294967296", "4294967295 or less"}


def test_a_missing_experiment_does_not_show_the_config_as_its_value() -> None:
    with pytest.raises(UserError, match=r"^experiment") as error:
        Settings.from_config({"seed": 12345})
    assert "12345" not in str(error.value)


@pytest.mark.parametrize("hidden", [0, [16, 0], [16, -3]], ids=str)
def test_a_width_below_1_is_refused_for_that(hidden: int | list[int]) -> None:
    message = refusal(model={"hidden": hidden})
    assert message.startswith(f"model.hidden={hidden}: must be ")
    assert "1 or more" in message
