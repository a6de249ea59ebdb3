from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from data.helpers import encode, loaded
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.prepare import prepare_reviews
from imdbclf.errors import UserError, nearest, one_line
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.settings import (
    ACTIVATIONS,
    LOSSES,
    OPTIMIZERS,
    SELECTIONS,
    TERM_WEIGHTS,
    Activation,
    DataSettings,
    FeatureSettings,
    LossName,
    ModelSettings,
    Selection,
    Settings,
    SourceSettings,
    TermWeighting,
    settings_keys,
)

CONFIG_FILES = Path(__file__).parents[1] / "configs"


def settings_of(**config: Any) -> Settings:
    return Settings.from_config({"experiment": "lecture", **config})


def refusal(**config: Any) -> str:
    with pytest.raises(UserError) as error:
        settings_of(**config)
    assert "\n" not in str(error.value)
    return str(error.value)


def optimizer(name: str = "rmsprop", **settings: Any) -> dict[str, Any]:
    return {"optimizer": {"name": name, **settings}}


def test_the_defaults_are_the_lecture() -> None:
    settings = settings_of()
    assert settings.model_dump() == {
        "experiment": "lecture",
        "seed": 0,
        "threads": 1,
        "ckpt_path": None,
        "refit": False,
        "fail_fast": False,
        "shared_batches": 1000,
        "data": {
            "source": "auto",
            "train": None,
            "test": None,
            "text_column": "text",
            "label_column": "label",
            "group": None,
            "unlabelled": None,
            "val_size": 10_000,
            "batch_size": 512,
            "layout": "csr",
            "cache_dir": None,
        },
        "features": {
            "sentence_ends": False,
            "order": 1,
            "columns": 10_000,
            "selection": "frequency",
            "min_documents": 1,
            "weighting": "multi_hot",
            "unit_length": False,
            "smoothing": 1.0,
            "dropout": 0.0,
        },
        "model": {"layers": 2, "hidden": 16, "activation": "relu", "dropout": 0.0, "members": 1},
        "loss": {"name": "bce"},
        "optimizer": {
            "name": "rmsprop",
            "lr": 1e-3,
            "rho": 0.9,
            "epsilon": 1e-7,
            "momentum": 0.0,
            "weight_decay": 0.0,
        },
        "teacher": {"members": 0},
        "calibration": {"name": "none"},
        "trainer": {"max_epochs": 20},
        "callbacks": {},
        "logger": {},
    }


WIDTHS = st.integers(1, 512)
SHARES = st.just(0) | st.floats(0, 1, exclude_max=True)
POSITIVE = st.floats(0, 1e6, exclude_min=True) | st.integers(1, 10)
NOT_NEGATIVE = st.floats(0, 1e6)
NAMES = st.text(max_size=10)


def group(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A group of keys, any of them left out."""
    return st.fixed_dictionaries({}, optional=values)


MODELS = st.integers(1, 4).flatmap(
    lambda layers: st.fixed_dictionaries(
        {"layers": st.just(layers), "hidden": WIDTHS | st.lists(WIDTHS, min_size=layers, max_size=layers)},
        optional={"activation": st.sampled_from(get_args(Activation)), "dropout": SHARES},
    )
)
DRAWN_OPTIMIZERS = st.one_of(
    st.fixed_dictionaries(
        {"name": st.just("rmsprop")},
        optional={"lr": POSITIVE, "rho": SHARES, "epsilon": POSITIVE, "momentum": SHARES, "weight_decay": NOT_NEGATIVE},
    ),
    st.fixed_dictionaries(
        {"name": st.sampled_from(["adam", "adamw"])},
        optional={"lr": POSITIVE, "beta_1": SHARES, "beta_2": SHARES, "epsilon": POSITIVE},
    ),
    st.fixed_dictionaries(
        {"name": st.just("sgd"), "momentum": st.floats(0.1, 0.9)},
        optional={"lr": POSITIVE, "nesterov": st.booleans(), "weight_decay": NOT_NEGATIVE},
    ),
)
CONFIGS = st.fixed_dictionaries(
    {"experiment": NAMES},
    optional={
        "seed": st.integers(0, 2**32 - 1),
        "ckpt_path": st.none() | NAMES,
        "data": group(
            source=NAMES,
            train=st.none() | NAMES,
            val_size=st.integers(0, 10**6) | SHARES,
            batch_size=WIDTHS,
            layout=st.sampled_from(["csr", "dense"]),
        ),
        "features": group(
            order=st.integers(1, 3),
            columns=st.integers(3, 10**6),
            selection=st.sampled_from(get_args(Selection)),
            min_documents=WIDTHS,
            weighting=st.sampled_from(get_args(TermWeighting)),
            unit_length=st.booleans(),
            smoothing=POSITIVE,
            dropout=SHARES,
        ),
        "model": MODELS,
        "loss": group(name=st.sampled_from(get_args(LossName))),
        "optimizer": DRAWN_OPTIMIZERS,
        "trainer": group(max_epochs=WIDTHS, accelerator=NAMES, precision=st.sampled_from([32, "bf16-mixed"])),
        "callbacks": st.dictionaries(NAMES, st.dictionaries(NAMES, st.integers() | st.none() | NAMES), max_size=2),
    },
)


@budget(max_examples=50, deadline=None)
@given(CONFIGS)
def test_settings_survive_the_way_to_plain_types_and_back(config: dict[str, Any]) -> None:
    settings = Settings.from_config(config)
    dumped = settings.model_dump()
    assert Settings.from_config(dumped) == settings
    assert Settings.from_config(json.loads(json.dumps(dumped))) == settings
    for name, value in config.items():
        found = dumped[name]
        assert value.items() <= found.items() if isinstance(value, dict) else found == value


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
        ({"data": {"text_column": None}}, "data.text_column=null: must be a text"),
        ({"data": {"cache_dir": False}}, "data.cache_dir=false: must be a text"),
        ({"data": 5}, "data=5: must be a group of keys, as a file in configs/ gives"),
        ({"data": None}, "data=null: must be a group of keys, as a file in configs/ gives"),
        ({"model": {"layers": 0}}, "model.layers=0: must be 1 or more"),
        ({"model": {"layers": True}}, "model.layers=true: must be a whole number"),
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
            {"calibration": {"name": "temperature"}, "data": {"val_size": 0}},
            "calibration=temperature: is fitted on the validation part, and data.val_size=0 leaves none; "
            "give a data.val_size above 0, or calibration=none",
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


@pytest.mark.parametrize(
    ("config", "path", "value"),
    [
        ({"data": {"val_size": 0}}, "data.val_size", 0),
        ({"data": {"val_size": 0.4}}, "data.val_size", 0.4),
        ({"features": {"columns": 3}}, "features.columns", 3),
        ({"features": {"order": 3}}, "features.order", 3),
        ({"features": {"smoothing": 1}}, "features.smoothing", 1.0),
        ({"model": {"dropout": 0}}, "model.dropout", 0.0),
        (optimizer(lr=1), "optimizer.lr", 1.0),
        ({"trainer": {"max_epochs": 1, "devices": 2}}, "trainer.devices", 2),
    ],
)
def test_values_at_the_edge_of_what_is_allowed_are_taken(config: dict[str, Any], path: str, value: float) -> None:
    found: Any = settings_of(**config)
    for name in path.split("."):
        found = getattr(found, name)
    assert found == value
    assert isinstance(found, type(value))


@pytest.mark.parametrize(
    ("model", "widths"),
    [({}, [16, 16]), ({"layers": 3, "hidden": 8}, [8, 8, 8]), ({"layers": 2, "hidden": [32, 4]}, [32, 4])],
)
def test_one_width_is_for_all_layers_and_a_list_for_each(model: dict[str, Any], widths: list[int]) -> None:
    assert ModelSettings(**model).widths == widths


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings_of().data.batch_size = 5  # type: ignore[misc]


def test_two_settings_share_no_defaults() -> None:
    one, other = settings_of(), settings_of()
    one.callbacks["mine"] = {}
    assert other.callbacks == {}
    assert settings_of().callbacks == {}


def test_every_key_of_the_settings_is_known_by_its_path() -> None:
    keys = settings_keys()
    assert len(keys) == len(set(keys))
    assert {"seed", "data", "features.columns", "model.hidden", "loss.name", "optimizer.rho", "optimizer.beta_2"} < {
        *keys
    }
    assert {f"data.{name}" for name in DataSettings.model_fields} < {*keys}
    assert {f"features.{name}" for name in FeatureSettings.model_fields} < {*keys}


def test_the_nearest_word_is_offered_where_one_is_alike() -> None:
    assert nearest("batchsize", ["val_size", "batch_size"]) == "; did you mean 'batch_size'?"
    assert nearest("xyz", ["batch_size"]) == ""
    assert nearest("xyz", []) == ""


def test_a_line_has_no_line_ends() -> None:
    assert one_line("  a\n b\r\n\tc  ") == "a b c"
    assert one_line(ValueError("a\nb")) == "a b"


CHOICES = {
    "model.activation": ACTIVATIONS,
    "loss.name": LOSSES,
    "optimizer.name": OPTIMIZERS,
    "features.selection": SELECTIONS,
    "features.weighting": TERM_WEIGHTS,
}
SOME = [(f"{'good' if number % 2 else 'bad'} film {number % 5}", number % 2) for number in range(20)]


@pytest.mark.parametrize(("key", "name"), [(key, name) for key, table in CHOICES.items() for name in table])
def test_every_name_of_the_tables_works_from_texts_to_a_step_of_learning(key: str, name: str) -> None:
    group, setting = key.split(".")
    settings = settings_of(**{group: {setting: name}})
    features = settings.features.model_copy(update={"columns": 5, "order": 2})
    data = settings.data.model_copy(update={"val_size": 4})
    prepared = prepare_reviews(loaded(encode(train=SOME)), data, features, 0)
    assert len(prepared.vectorizer) == 5
    made = ReviewClassifier(
        5, [3], settings.model.activation, loss=settings.loss.name, optimizer=settings.optimizer.model_dump()
    )
    (batch,) = ReviewDataModule(data, 0, prepared, features).train_dataloader()
    before = nn.utils.parameters_to_vector(made.parameters()).detach().clone()
    optimizer = made.configure_optimizers()
    made.loss(made(batch.features, batch.transpose), batch.labels).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    after = nn.utils.parameters_to_vector(made.parameters()).detach()
    assert torch.isfinite(after).all()
    assert not torch.equal(after, before)


@pytest.mark.parametrize("key", ["loss.name", "optimizer.name"])
def test_every_loss_and_optimizer_has_its_file(key: str) -> None:
    group = key.split(".", maxsplit=1)[0]
    assert {path.stem for path in (CONFIG_FILES / group).glob("*.yaml")} == CHOICES[key].keys()


def test_a_run_is_computed_by_all_settings_but_the_marked_ones() -> None:
    settings = settings_of(seed=3, logger={"csv": {}}, data={"source": "sample", "val_size": 5}, fail_fast=True)
    computed = settings.computed()
    left_out = {"experiment", "logger", "fail_fast", "shared_batches"}
    assert computed.keys() == settings.model_dump().keys() - left_out
    assert computed["data"] == {"val_size": 5, "batch_size": 512, "layout": "csr"}
    assert computed["features"] == FeatureSettings().model_dump(by_alias=True)
    assert computed["seed"] == 3


def test_reviews_of_another_place_are_split_and_cut_alike() -> None:
    settings = DataSettings(source="auto", group="film", val_size=5, batch_size=7)
    moved = settings.with_origin(DataSettings(source="sample", val_size=9))
    assert moved == DataSettings(source="sample", val_size=5, batch_size=7)
    assert moved.origin == SourceSettings(source="sample")


def test_the_old_name_of_a_setting_is_read_and_its_new_name_is_shown() -> None:
    settings = settings_of(features={"marks": True, "order": 2})
    assert settings.features == FeatureSettings(sentence_ends=True, order=2)
    assert refusal(features={"marks": 1}) == "features.sentence_ends=1: must be true or false"
