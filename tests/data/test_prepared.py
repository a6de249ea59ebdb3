"""The way from settings to the rows of each part; what the parts hold is checked in test_module.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.helpers import TEST, write_hub_layout, write_json_lines
from imdbclf.data.module import ReviewDataModule
from imdbclf.data.prepared import load_reviews
from imdbclf.errors import UserError
from imdbclf.settings import DataSettings

SOME = [(f"word{number} word{number % 7} film", number % 2) for number in range(40)]


def settings_of(folder: Path) -> DataSettings:
    write_hub_layout(folder, SOME, TEST)
    return DataSettings(source=str(folder), cache_dir=str(folder / ".cache"), val_size=10, vocab_size=20)


def test_reviews_loaded_ahead_are_those_that_a_module_loads_itself(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    loaded = load_reviews(settings, seed=3).prepared
    own = ReviewDataModule(settings, seed=3).prepared
    assert loaded.vocabulary == own.vocabulary
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


def grouped(folder: Path, groups: Sequence[object], **values: Any) -> DataSettings:
    """Settings of training reviews with a column `film`, one for each of the groups."""
    rows = [{"text": f"word{n} film", "label": n % 2, "film": group} for n, group in enumerate(groups)]
    file = write_json_lines(folder / "train.jsonl", rows)
    given: dict[str, Any] = {"group": "film", "val_size": 10, "vocab_size": 99} | values
    return DataSettings(source="files", train=str(file), cache_dir=str(folder / ".cache"), **given)


def sides(settings: DataSettings, seed: int) -> list[set[str]]:
    """The words of the training and of the validation part; each review has one that no other has."""
    prepared = load_reviews(settings, seed).prepared
    train = set(prepared.vocabulary.words) - {"film"}
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


REFUSED: dict[str, tuple[Sequence[object], str]] = {
    "one group": (
        ["x"] * 40,
        "data.group=film: puts all 40 training reviews into one group; "
        "there must be at least two, one of them to validate on (or data.val_size=0)",
    ),
    "none fits": (
        ["x", "y"] * 20,
        "data.val_size=10: more is needed, since every group of data.group=film is larger",
    ),
    "too little fits": (
        ["x"] * 20 + ["y"] * 18 + ["u", "v"],
        "data.val_size=10: with undivided groups of data.group=film only 2 of 10 reviews fit; "
        "the other groups are larger than what is left",
    ),
}


@pytest.mark.parametrize(("groups", "message"), REFUSED.values(), ids=REFUSED)
def test_groups_that_leave_no_fair_validation_part_are_refused(
    groups: Sequence[object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as refusal:
        load_reviews(grouped(tmp_path, groups), 0)
    assert str(refusal.value) == message


def test_half_of_what_was_asked_for_is_enough(tmp_path: Path) -> None:
    settings = grouped(tmp_path, ["x"] * 20 + ["y"] * 15 + ["z"] * 5)
    assert len(load_reviews(settings, 0).prepared.matrices["val"]) == 5


def test_without_a_validation_part_one_group_is_fine(tmp_path: Path) -> None:
    settings = grouped(tmp_path, ["x"] * 40, val_size=0)
    assert len(load_reviews(settings, 0).prepared.matrices["train"]) == 40
