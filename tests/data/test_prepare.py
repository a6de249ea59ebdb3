"""The way from settings to the rows of each part; what the parts hold is checked in test_module.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from data.helpers import TEST, encode, loaded, write_hub_layout, write_json_lines
from imdbclf.data.arrow import to_arrow
from imdbclf.data.corpus import SCHEMA, Corpus, EncodedReviews
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.prepare import PreparedReviews, load_reviews, prepare_reviews
from imdbclf.data.split import split_rows
from imdbclf.errors import UserError
from imdbclf.setting_values import Selection
from imdbclf.settings import DataSettings, FeatureSettings

SOME = [(f"word{number} word{number % 7} film", number % 2) for number in range(40)]
TWENTY = FeatureSettings(columns=20)


def settings_of(folder: Path) -> DataSettings:
    write_hub_layout(folder, SOME, TEST)
    return DataSettings(source=str(folder), cache_dir=str(folder / ".cache"), val_size=10)


def test_reviews_loaded_ahead_are_those_that_a_module_loads_itself(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    ahead = load_reviews(settings, 3, TWENTY)
    own = ReviewDataModule(settings, seed=3, features=TWENTY).prepared
    assert ahead.vectorizer == own.vectorizer
    assert ahead.matrices.keys() == own.matrices.keys() == {"train", "val", "test"}
    for part, matrix in own.matrices.items():
        np.testing.assert_array_equal(ahead.matrices[part].offsets, matrix.offsets)
        np.testing.assert_array_equal(ahead.matrices[part].columns, matrix.columns)
        np.testing.assert_array_equal(ahead.labels[part], own.labels[part])


def test_a_module_that_is_given_its_reviews_reads_none(tmp_path: Path) -> None:
    prepared = load_reviews(settings_of(tmp_path / "here"), seed=3)
    module = ReviewDataModule(DataSettings(source=str(tmp_path / "absent")), seed=3, prepared=prepared)
    module.setup()
    assert module.prepared is prepared
    assert len(module.train_dataloader()) == 1


def grouped(folder: Path, groups: Sequence[object], **values: Any) -> DataSettings:
    """Settings of training reviews with a column `film`, one for each of the groups."""
    rows = [{"text": f"word{n} film", "label": n % 2, "film": group} for n, group in enumerate(groups)]
    file = write_json_lines(folder / "train.jsonl", rows)
    given: dict[str, Any] = {"group": "film", "val_size": 10} | values
    return DataSettings(source="files", train=str(file), cache_dir=str(folder / ".cache"), **given)


def sides(settings: DataSettings, seed: int) -> list[set[str]]:
    """The words of the training and of the validation part; each review has one that no other has."""
    prepared = load_reviews(settings, seed)
    train = set(prepared.vectorizer.vocabulary.terms) - {"film"}
    return [train, {f"word{n}" for n in range(40)} - train]


def test_no_group_is_on_both_sides(tmp_path: Path) -> None:
    settings = grouped(tmp_path, [f"film {n // 4}" for n in range(40)], val_size=12)
    for seed in range(5):
        train, val = ({int(word[4:]) // 4 for word in side} for side in sides(settings, seed))
        assert (len(train), len(val)) == (7, 3)
        assert not train & val


def test_without_the_setting_groups_are_divided(tmp_path: Path) -> None:
    settings = grouped(tmp_path, [f"film {n // 4}" for n in range(40)], val_size=12, group=None)
    train, val = ({int(word[4:]) // 4 for word in side} for side in sides(settings, 0))
    assert train & val


REFUSED: dict[str, tuple[Sequence[object], int]] = {
    "one group": (["x"] * 40, 0),
    "none fits": (["x", "y"] * 20, 0),
    "too little fits": (["x"] * 20 + ["y"] * 18 + ["u", "v"], 2),
}


@pytest.mark.parametrize(("groups", "fitting"), REFUSED.values(), ids=REFUSED)
def test_groups_that_leave_no_fair_validation_part_are_refused(
    groups: Sequence[object], fitting: int, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as refusal:
        load_reviews(grouped(tmp_path, groups), 0)
    assert str(refusal.value) == (
        f"data.val_size=10: only {fitting} of 10 reviews fit, since groups of data.group are not "
        "divided and the other groups are too large; give another size, or smaller groups"
    )


def test_one_group_is_refused_for_a_single_validation_review_too(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^data\.val_size=1: only 0 of 1 reviews fit"):
        load_reviews(grouped(tmp_path, ["x"] * 40, val_size=1), 0)


def test_half_of_what_was_asked_for_is_enough(tmp_path: Path) -> None:
    settings = grouped(tmp_path, ["x"] * 20 + ["y"] * 15 + ["z"] * 5)
    assert len(load_reviews(settings, 0).matrices["val"]) == 5


def test_without_a_validation_part_one_group_is_fine(tmp_path: Path) -> None:
    settings = grouped(tmp_path, ["x"] * 40, val_size=0)
    assert len(load_reviews(settings, 0).matrices["train"]) == 40


DATA = DataSettings(val_size=10)


def prepared_from(corpus: Corpus, features: FeatureSettings) -> PreparedReviews:
    return prepare_reviews(loaded(corpus), DATA, features, 3)


def spoilt(reviews: EncodedReviews, rows: npt.NDArray[np.int64], nonsense: int) -> EncodedReviews:
    """The same reviews, but those rows are of one word, a hundred times, and the labels of half of them are wrong."""
    kept = [reviews.words[start:end] for start, end in zip(reviews.offsets[:-1], reviews.offsets[1:], strict=True)]
    labels = reviews.labels.copy()
    for row in rows:
        kept[row] = np.full(100, nonsense, dtype=np.int32)
    labels[rows[::2]] = 1 - labels[rows[::2]]
    offsets = np.cumsum([0, *map(len, kept)], dtype=np.int64)
    words = pa.LargeListArray.from_arrays(to_arrow(offsets), to_arrow(np.concatenate(kept)))
    columns = {name: reviews.table[name] for name in ("id", "sequence", "row")} | {"label": to_arrow(labels)}
    return EncodedReviews(pa.table(columns | {"words": words}, schema=SCHEMA))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("selection", get_args(Selection))
def test_terms_and_weights_are_learnt_from_the_training_part_alone(order: int, selection: Selection) -> None:
    features = FeatureSettings(order=order, columns=12, selection=selection, weighting="log_odds", unit_length=True)
    whole = encode(train=SOME, test=[*TEST, ("film nonsense", 1)])
    nonsense = whole.dictionary.to_pylist().index("nonsense")
    train, test = whole.parts["train"], whole.parts["test"]
    rows, val_rows = split_rows(train.sequences, 10, 3)
    for name, changed in {
        "val": {"train": spoilt(train, val_rows, nonsense), "test": test},
        "test": {"train": train, "test": spoilt(test, np.arange(len(test)), nonsense)},
        "train": {"train": spoilt(train, rows[:1], nonsense), "test": test},
    }.items():
        ours, theirs = prepared_from(whole, features), prepared_from(Corpus(whole.dictionary, changed), features)
        same_terms = ours.vectorizer.vocabulary == theirs.vectorizer.vocabulary
        weights = [one.vectorizer.term_weights.by_column for one in (ours, theirs)]
        assert (same_terms and np.array_equal(*weights)) == (name != "train")  # type: ignore[arg-type]


def test_every_part_has_the_values_that_the_training_part_teaches() -> None:
    features = FeatureSettings(columns=12, weighting="log_odds")
    prepared = prepared_from(encode(train=SOME, test=TEST), features)
    weights = prepared.vectorizer.term_weights
    assert weights.by_column is not None
    for matrix in prepared.matrices.values():
        assert matrix.values is not None
        np.testing.assert_array_equal(matrix.values, weights.by_column[matrix.columns])


def imbalanced(folder: Path, **values: Any) -> DataSettings:
    """Settings of 40 training reviews, of which every tenth is positive, in one file."""
    rows = [{"text": f"word{n} film", "label": int(n % 10 == 0)} for n in range(40)]
    file = write_json_lines(folder / "train.jsonl", rows)
    return DataSettings(source="files", train=str(file), cache_dir=str(folder / ".cache"), **values)


def test_a_test_part_is_split_off_by_content_and_is_the_same_for_every_seed(tmp_path: Path) -> None:
    settings = grouped(tmp_path, [f"film {n // 4}" for n in range(40)], val_size=8, test_size=0.2)
    ids = []
    for seed in range(3):
        prepared = load_reviews(settings, seed, TWENTY)
        assert {part: len(matrix) for part, matrix in prepared.matrices.items()} == {"train": 24, "val": 8, "test": 8}
        train, test = (prepared.loaded.corpus.parts[part] for part in ("train", "test"))
        assert train.groups is not None
        assert test.groups is not None
        assert not np.isin(test.groups, train.groups).any()
        ids.append(test.ids.tolist())
    assert ids[0] == ids[1] == ids[2]


def test_a_module_with_other_settings_keeps_the_test_part(tmp_path: Path) -> None:
    settings = imbalanced(tmp_path, val_size=8, test_size=10)
    module = ReviewDataModule(settings, features=TWENTY)
    on_all = module.with_settings(settings.model_copy(update={"val_size": 0}))
    assert [len(on_all.prepared.matrices[part]) for part in ("train", "val", "test")] == [30, 0, 10]


def test_a_test_size_is_refused_where_there_is_a_test_part_or_nothing_would_be_left(tmp_path: Path) -> None:
    there = settings_of(tmp_path / "there").model_copy(update={"test_size": 5})
    with pytest.raises(UserError, match=r"^data\.test_size=5: must be 0; folder .*: there is a test part$"):
        load_reviews(there, 0)
    with pytest.raises(UserError, match=r"^data\.test_size=40: must be below the 40 .*; data\.test_size=0\.2 fits$"):
        load_reviews(imbalanced(tmp_path, test_size=40), 0)


def test_a_default_size_that_does_not_fit_is_adapted_and_said(tmp_path: Path) -> None:
    prepared = load_reviews(imbalanced(tmp_path, val_size=21, adapt_val_size=True), 0, TWENTY)
    assert len(prepared.matrices["val"]) == 8
    assert prepared.loaded.notes == ("data.val_size=21 is more than half of the 40 training reviews; it is 0.2 here",)
    assert len(load_reviews(imbalanced(tmp_path, val_size=20, adapt_val_size=True), 0).matrices["val"]) == 20
    assert len(load_reviews(imbalanced(tmp_path, val_size=21), 0).matrices["val"]) == 21


@pytest.mark.parametrize("seed", range(3))
def test_the_parts_of_unbalanced_reviews_have_the_same_fraction_of_each_class(tmp_path: Path, seed: int) -> None:
    prepared = load_reviews(imbalanced(tmp_path, val_size=10, test_size=10), seed, TWENTY)
    assert {part: int(labels.sum()) for part, labels in prepared.labels.items()} == {"train": 2, "val": 1, "test": 1}


@pytest.mark.parametrize("group", [None, "film"])
def test_each_review_is_in_one_fold_and_groups_are_not_divided(tmp_path: Path, group: str | None) -> None:
    settings = grouped(tmp_path, [f"film {n // 4}" for n in range(40)], group=group, folds=5, fold=0)
    folds = [sides(settings.model_copy(update={"fold": fold}), seed=1)[1] for fold in range(5)]
    assert sorted(word for fold in folds for word in fold) == sorted(f"word{n}" for n in range(40))
    assert [len(fold) for fold in folds] == [8] * 5
    if group is not None:
        films = [{int(word[4:]) // 4 for word in fold} for fold in folds]
        assert sum(map(len, films)) == 10


def test_every_fold_of_unbalanced_reviews_has_both_classes(tmp_path: Path) -> None:
    for fold in range(4):
        prepared = load_reviews(imbalanced(tmp_path, folds=4, fold=fold), 0, TWENTY)
        assert (len(prepared.labels["val"]), int(prepared.labels["val"].sum())) == (10, 1)


def test_more_folds_than_groups_are_refused(tmp_path: Path) -> None:
    settings = grouped(tmp_path, ["a", "b"] * 20, folds=5, fold=1)
    with pytest.raises(UserError, match=r"^data\.folds=5: too many; fold 1 or the rest of the reviews is empty$"):
        load_reviews(settings, 0)
