"""What jobs have in common is done once, within a bound, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from data.helpers import write_json_lines
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.sweep_cache import content_key, decided_source, forget, kept_reviews
from imdbclf.settings import DataSettings, FeatureSettings, SourceSettings


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    yield
    forget()


SAMPLE = DataSettings(source="sample", batch_size=512)
HUNDRED = FeatureSettings(columns=100)


def test_the_same_settings_and_seed_are_loaded_once_and_others_again() -> None:
    first = kept_reviews(SAMPLE, HUNDRED, 0, 10)
    assert kept_reviews(SAMPLE, HUNDRED, 0, 10) is first
    other = kept_reviews(SAMPLE, HUNDRED, 1, 10)
    assert other is not first
    assert other.loaded is first.loaded


def test_other_features_are_learnt_anew_from_the_same_words() -> None:
    first = kept_reviews(SAMPLE, HUNDRED, 0, 10)
    other = kept_reviews(SAMPLE, FeatureSettings(columns=100, dropout=0.5), 0, 10)
    assert other.kept is not first.kept
    assert other.loaded is first.loaded


def test_with_a_limit_of_0_nothing_is_kept() -> None:
    assert kept_reviews(SAMPLE, HUNDRED, 0, 0).kept is None


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_data_module_gives_kept_batches_the_second_time(dropout: float) -> None:
    features = FeatureSettings(columns=100, unit_length=True, dropout=dropout)
    prepared = kept_reviews(SAMPLE, features, 0, 1000)
    first, second = (list(ReviewDataModule(SAMPLE, 0, prepared, features).train_dataloader()) for _ in range(2))
    assert all(a is b for a, b in zip(first, second, strict=True))
    for a, b in zip(second, ReviewDataModule(SAMPLE, 0, features=features).train_dataloader(), strict=True):
        assert torch.equal(a.features.to_dense(), b.features.to_dense())
        assert np.array_equal(a.labels, b.labels)


def test_the_key_of_the_content_does_not_depend_on_the_place(tmp_path: Path, small_files: dict[str, Path]) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(small_files["train"].read_bytes())
    original, copied = (DataSettings(source="files", train=str(path)) for path in (small_files["train"], copy))
    assert content_key(original) == content_key(copied)
    assert content_key(original) != content_key(SAMPLE)


def test_where_auto_leads_is_asked_once_for_all_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMDBCLF_DATA", "sample")
    first = decided_source(DataSettings(batch_size=100))
    monkeypatch.setenv("IMDBCLF_DATA", "elsewhere")
    second = decided_source(DataSettings(batch_size=200))
    assert (first.settings, first.because) == (SourceSettings(source="sample"), "IMDBCLF_DATA names it")
    assert (second.settings, second.because) == (SourceSettings(source="sample"), first.because)


def test_other_groups_are_other_reviews(tmp_path: Path) -> None:
    rows = [{"text": f"a{number}", "label": number % 2, "film": number // 3} for number in range(30)]
    file = write_json_lines(tmp_path / "a.jsonl", rows)
    settings = DataSettings(source="files", train=str(file), cache_dir=str(tmp_path), val_size=6)
    grouped = settings.model_copy(update={"group": "film"})
    assert content_key(settings) != content_key(grouped)
    assert decided_source(grouped).settings.group == "film"
    found = [
        kept_reviews(each, FeatureSettings(), 0, 0).loaded.corpus.parts["train"].groups
        for each in (settings, grouped, settings)
    ]
    assert [groups is None for groups in found] == [True, False, True]
