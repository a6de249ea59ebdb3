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
from settings_helpers import optimizer, refusal, settings_of
from torch import nn

from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.prepare import prepare_reviews
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.setting_values import (
    ACTIVATIONS,
    LOSSES,
    OPTIMIZERS,
    SELECTIONS,
    TERM_WEIGHTS,
    Activation,
    LossName,
    Selection,
    TermWeighting,
)
from imdbclf.settings import DataSettings, FeatureSettings, ModelSettings, Settings, SourceSettings, settings_keys

CONFIG_FILES = Path(__file__).parents[1] / "configs"


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
            "delimiter": None,
            "quote": None,
            "escape": None,
            "encoding": None,
            "config": None,
            "header": True,
            "split_column": None,
            "group": None,
            "labels": None,
            "positive": None,
            "unlabelled": None,
            "val_size": 10_000,
            "adapt_val_size": False,
            "test_size": 0,
            "folds": None,
            "fold": None,
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
        "loss": {"name": "bce", "positive_weight": 1.0},
        "optimizer": {
            "name": "rmsprop",
            "lr": 1e-3,
            "rho": 0.9,
            "epsilon": 1e-7,
            "momentum": 0.0,
            "weight_decay": 0.0,
        },
        "teacher": {"members": 0},
        "calibration": {"name": "none", "false_negative_cost": 1.0},
        "trainer": {"max_epochs": 20},
        "callbacks": {},
        "logger": {},
    }


WIDTHS = st.integers(1, 512)
SHARES = st.just(0) | st.floats(0, 1, exclude_max=True)
POSITIVE = st.floats(1e-37, 1e6) | st.integers(1, 10)
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
            source=NAMES.filter(bool),
            train=st.none() | NAMES.filter(bool),
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


def test_a_setting_that_earlier_versions_did_not_have_counts_only_if_it_is_set() -> None:
    assert settings_of(data={"positive": 1}).computed()["data"]["positive"] == 1
    assert "positive" not in settings_of().computed()["data"]


@pytest.mark.parametrize("weight", [0, -1, "half"])
def test_a_weight_of_positive_reviews_is_a_number_above_0_or_balanced(weight: object) -> None:
    assert refusal(loss={"positive_weight": weight}).startswith(f"loss.positive_weight={weight}: must be ")
    assert settings_of(loss={"positive_weight": "balanced"}).computed()["loss"]["positive_weight"] == "balanced"
    assert settings_of().computed()["loss"] == {"name": "bce"}


def test_settings_with_a_mapping_can_be_keys() -> None:
    mapped = SourceSettings(labels={1: "neg", 5: "pos"})
    assert hash(mapped) == hash(mapped.model_copy()) != hash(SourceSettings())


@pytest.mark.parametrize("labels", [{1: "neg"}, {1: "neg", 2: "mid", 3: "pos"}])
def test_a_mapping_of_labels_to_other_than_two_classes_is_refused(labels: dict[int, str]) -> None:
    assert refusal(data={"labels": labels}) == (
        f"data.labels={labels}: must map values to two classes, such as 'data.labels={{1:neg,2:neg,5:pos}}'"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"fold": 1}, "data.fold=1: only with data.folds, the number of folds"),
        (
            {"folds": 5},
            "data.fold=null: must be a number from 0 to 4, one of data.folds=5; "
            "-m 'data.fold=range(5)' trains with each",
        ),
        (
            {"folds": 2, "fold": 2},
            "data.fold=2: must be a number from 0 to 1, one of data.folds=2; -m 'data.fold=range(2)' trains with each",
        ),
        ({"folds": 1, "fold": 0}, "data.folds=1: must be 2 or more"),
        ({"test_size": 1.5}, "data.test_size=1.5: must be a whole number or below 1"),
    ],
)
def test_folds_and_parts_that_cannot_be_are_refused(data: dict[str, Any], message: str) -> None:
    assert refusal(data=data) == message


def test_the_old_name_of_a_setting_is_read_and_its_new_name_is_shown() -> None:
    settings = settings_of(features={"marks": True, "order": 2})
    assert settings.features == FeatureSettings(sentence_ends=True, order=2)
    assert refusal(features={"marks": 1}) == "features.sentence_ends=1: must be true or false"


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("delimiter", "x", "comma, semicolon, tab or pipe"),
        ("quote", "", "double, single or none"),
        ("escape", 1, "backslash or none"),
        ("encoding", "hex", "an encoding that Python knows, such as utf-8, cp1252, latin-1 or utf-16"),
        ("encoding", "nonsense", "an encoding that Python knows, such as utf-8, cp1252, latin-1 or utf-16"),
        ("header", "no", "true or false"),
        ("text_column", 1.5, "a text"),
    ],
)
def test_how_a_file_is_written_is_checked(key: str, value: object, allowed: str) -> None:
    assert refusal(data={key: value}) == f"data.{key}={value}: must be {allowed}"


def test_delimiters_may_be_the_characters_themselves() -> None:
    written = SourceSettings.model_validate({"delimiter": ";", "quote": "'", "escape": "\\", "text_column": 1})
    assert (written.delimiter, written.quote, written.escape, written.text_column) == (
        "semicolon",
        "single",
        "backslash",
        "1",
    )
