"""The way from settings to the rows of each part; what the parts hold is checked in test_module.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.helpers import TEST, write_hub_layout
from imdbclf.data.module import ReviewDataModule
from imdbclf.data.prepared import load_reviews
from imdbclf.settings import DataSettings, FeatureSettings

SOME = [(f"word{number} word{number % 7} film", number % 2) for number in range(40)]
TWENTY = FeatureSettings(columns=20)


def settings_of(folder: Path) -> DataSettings:
    write_hub_layout(folder, SOME, TEST)
    return DataSettings(source=str(folder), cache_dir=str(folder / ".cache"), val_size=10)


def test_reviews_loaded_ahead_are_those_that_a_module_loads_itself(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    loaded = load_reviews(settings, 3, TWENTY).prepared
    own = ReviewDataModule(settings, seed=3, features=TWENTY).prepared
    assert loaded.features == own.features
    assert loaded.matrices.keys() == own.matrices.keys() == {"train", "val", "test"}
    for part, matrix in own.matrices.items():
        np.testing.assert_array_equal(loaded.matrices[part].offsets, matrix.offsets)
        np.testing.assert_array_equal(loaded.matrices[part].columns, matrix.columns)
        np.testing.assert_array_equal(loaded.labels[part], own.labels[part])


def test_a_module_that_is_given_its_reviews_reads_none(tmp_path: Path) -> None:
    loaded = load_reviews(settings_of(tmp_path / "here"), seed=3)
    module = ReviewDataModule(DataSettings(source=str(tmp_path / "absent")), seed=3, loaded=loaded)
    module.prepare_data()
    module.setup()
    assert module.prepared is loaded.prepared
    assert module.source is loaded.source
    assert len(module.train_dataloader()) == 1
