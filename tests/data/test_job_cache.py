"""What jobs have in common is done once, within a bound, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from data.helpers import write_json_lines
from imdbclf.data.batches import ReviewBatch
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.job_cache import KeptBatches, content_key, decided_source, forget, shared_reviews
from imdbclf.settings import DataSettings, FeatureSettings


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    yield
    forget()


def batch(value: float) -> ReviewBatch:
    """12 bytes: two features, one label."""
    return ReviewBatch(torch.full((1, 2), value), torch.zeros(1), None)


class Cutter:
    """Cuts batches of an epoch and counts how often it was asked."""

    def __init__(self, n: int) -> None:
        self.n, self.calls = n, 0

    def __call__(self) -> Iterator[ReviewBatch]:
        self.calls += 1
        return (batch(float(number)) for number in range(self.n))


@given(st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=6), st.integers(0, 200))
def test_batches_are_the_same_whether_kept_or_cut_and_never_take_more_than_the_limit(
    epochs: list[int], limit: int
) -> None:
    kept = KeptBatches(limit)
    for _ in range(2):
        for epoch, n in enumerate(epochs):
            values = [one.features[0, 0].item() for one in kept.epoch("train", epoch, n, Cutter(n))]
            assert values == list(range(n))
            assert kept.size <= limit


def test_an_epoch_is_cut_once_although_nobody_asks_past_its_last_batch() -> None:
    kept, cutter = KeptBatches(1000), Cutter(3)
    for _ in range(2):
        batches = kept.epoch("train", 0, 3, cutter)
        for _ in range(3):
            next(batches)
    assert cutter.calls == 1
    assert kept.size == 3 * batch(0.0).memory == 36


def test_an_epoch_that_is_left_early_is_cut_again() -> None:
    kept, cutter = KeptBatches(1000), Cutter(3)
    for _ in range(2):
        next(kept.epoch("train", 0, 3, cutter))
    assert (cutter.calls, kept.size) == (2, 0)


def test_epochs_beyond_the_limit_are_cut_each_time() -> None:
    kept, cutter = KeptBatches(40), Cutter(3)
    for _ in range(2):
        for epoch in (0, 1):
            list(kept.epoch("train", epoch, 3, cutter))
    assert cutter.calls == 3


def test_parts_are_kept_apart() -> None:
    kept = KeptBatches(1000)
    list(kept.epoch("train", 0, 1, Cutter(1)))
    assert len(list(kept.epoch("val", 0, 2, Cutter(2)))) == 2


def test_a_sparse_batch_counts_all_its_tensors() -> None:
    dense = torch.eye(3)
    sparse = dense.to_sparse_csr()
    each = 4 * 8 + 3 * 8 + 3 * 4
    assert ReviewBatch(sparse, torch.zeros(3), sparse).memory == 2 * each + 3 * 4


SAMPLE = DataSettings(source="sample", batch_size=512)
HUNDRED = FeatureSettings(columns=100)


def test_the_same_settings_and_seed_are_loaded_once_and_others_anew() -> None:
    first = shared_reviews(SAMPLE, HUNDRED, 0, 10)
    assert shared_reviews(SAMPLE, HUNDRED, 0, 10) is first
    other = shared_reviews(SAMPLE, HUNDRED, 1, 10)
    assert other.prepared is not first.prepared
    assert other.encoded is first.encoded


def test_other_features_are_learnt_anew_from_the_same_words() -> None:
    first = shared_reviews(SAMPLE, HUNDRED, 0, 10)
    other = shared_reviews(SAMPLE, FeatureSettings(columns=100, dropout=0.5), 0, 10)
    assert other.kept is not first.kept
    assert other.encoded is first.encoded


def test_with_a_limit_of_0_nothing_is_kept() -> None:
    assert shared_reviews(SAMPLE, HUNDRED, 0, 0).kept is None


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_data_module_gives_kept_batches_the_second_time(dropout: float) -> None:
    features = FeatureSettings(columns=100, unit_length=True, dropout=dropout)
    loaded = shared_reviews(SAMPLE, features, 0, 1000)
    first, second = (list(ReviewDataModule(SAMPLE, 0, loaded, features).train_dataloader()) for _ in range(2))
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
    assert (first.settings, first.because) == (DataSettings(source="sample", batch_size=100), "IMDBCLF_DATA names it")
    assert (second.settings, second.because) == (DataSettings(source="sample", batch_size=200), first.because)


def test_other_groups_are_other_reviews(tmp_path: Path) -> None:
    rows = [{"text": f"a{number}", "label": number % 2, "film": number // 3} for number in range(30)]
    file = write_json_lines(tmp_path / "a.jsonl", rows)
    settings = DataSettings(source="files", train=str(file), cache_dir=str(tmp_path), val_size=6)
    grouped = settings.model_copy(update={"group": "film"})
    assert content_key(settings) != content_key(grouped)
    assert decided_source(grouped).settings.group == "film"
    found = [
        shared_reviews(each, FeatureSettings(), 0, 0).encoded.corpus.parts["train"].groups
        for each in (settings, grouped, settings)
    ]
    assert [groups is None for groups in found] == [True, False, True]
