"""The way from settings to the rows of each part; what the parts hold is checked in test_module.py."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from data.helpers import TEST, encode, write_hub_layout
from imdbclf.data.arrow import to_arrow
from imdbclf.data.cache import CachedCorpus
from imdbclf.data.encoding import SCHEMA, Corpus, EncodedReviews
from imdbclf.data.module import ReviewDataModule
from imdbclf.data.prepared import PreparedReviews, load_reviews, prepare_reviews
from imdbclf.data.split import split_rows
from imdbclf.settings import DataSettings, FeatureSettings, Selection

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


DATA = DataSettings(val_size=10)


def prepared_from(corpus: Corpus, features: FeatureSettings) -> PreparedReviews:
    return prepare_reviews(CachedCorpus(corpus, ("neg", "pos"), from_cache=False), DATA, features, 3, "here")


def spoilt(reviews: EncodedReviews, rows: npt.NDArray[np.int64], nonsense: int) -> EncodedReviews:
    """The same reviews, but those rows are of one word, a hundred times, and the labels of half of them are wrong."""
    kept = [reviews.words[start:end] for start, end in zip(reviews.offsets[:-1], reviews.offsets[1:], strict=True)]
    labels = reviews.labels.copy()
    for row in rows:
        kept[row] = np.full(100, nonsense, dtype=np.int32)
    labels[rows[::2]] = 1 - labels[rows[::2]]
    offsets = np.cumsum([0, *map(len, kept)], dtype=np.int64)
    words = pa.LargeListArray.from_arrays(to_arrow(offsets), to_arrow(np.concatenate(kept)))
    columns = {"id": to_arrow(reviews.ids), "group": to_arrow(reviews.groups), "label": to_arrow(labels)}
    return EncodedReviews(pa.table(columns | {"words": words}, schema=SCHEMA))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("selection", get_args(Selection))
def test_terms_and_weights_are_learnt_from_the_training_part_alone(order: int, selection: Selection) -> None:
    features = FeatureSettings(order=order, columns=12, selection=selection, weighting="log_odds", unit_length=True)
    whole = encode(train=SOME, test=[*TEST, ("film nonsense", 1)])
    nonsense = whole.dictionary.to_pylist().index("nonsense")
    train, test = whole.parts["train"], whole.parts["test"]
    rows, val_rows = split_rows(train.groups, 10, 3)
    for name, changed in {
        "val": {"train": spoilt(train, val_rows, nonsense), "test": test},
        "test": {"train": train, "test": spoilt(test, np.arange(len(test)), nonsense)},
        "train": {"train": spoilt(train, rows[:1], nonsense), "test": test},
    }.items():
        ours, theirs = prepared_from(whole, features), prepared_from(Corpus(whole.dictionary, changed), features)
        same_terms = ours.features.vocabulary == theirs.features.vocabulary
        weights = [one.features.weighting and one.features.weighting.columns for one in (ours, theirs)]
        assert (same_terms and np.array_equal(*weights)) == (name != "train")  # type: ignore[arg-type]


def test_every_part_has_the_values_that_the_training_part_teaches() -> None:
    features = FeatureSettings(columns=12, weighting="log_odds")
    prepared = prepared_from(encode(train=SOME, test=TEST), features)
    weighting = prepared.features.weighting
    assert weighting is not None
    assert weighting.columns is not None
    for matrix in prepared.matrices.values():
        assert matrix.values is not None
        np.testing.assert_array_equal(matrix.values, weighting.columns[matrix.columns])
