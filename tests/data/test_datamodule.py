from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from torch import Tensor

from data.helpers import TEST, TRAIN, encode, loaded, read_back, write_acl_tree, write_hub_layout
from imdbclf.data.batches import ReviewBatch
from imdbclf.data.cache import LoadedCorpus
from imdbclf.data.dataloader import EpochOrder, ReviewLoader
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.prepare import prepare_reviews
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError
from imdbclf.settings import LECTURE, DataSettings, FeatureSettings

SOME = [(f"{'good' if number % 2 else 'bad'} film number {number}", number % 2) for number in range(60)]


def module_of(folder: Path, seed: int = 0, columns: int = 30, **settings: Any) -> ReviewDataModule:
    chosen = {"val_size": 20, "batch_size": 8} | settings
    data = DataSettings(source=str(folder), cache_dir=str(folder / ".cache"), **chosen)
    module = ReviewDataModule(data, seed, features=FeatureSettings(columns=columns))
    module.setup()
    return module


def batches_of(loader: Any, epoch: int = 0) -> list[ReviewBatch]:
    if isinstance(loader.sampler, EpochOrder):
        loader.sampler.set_epoch(epoch)
    return list(loader)


def reviews_in(module: ReviewDataModule, loader: Any) -> list[tuple[tuple[str, ...], float]]:
    """The decoded words and the label of each review, in the loader's order."""
    found = []
    for batch in batches_of(loader):
        for row, label in zip(batch.features.to_dense().numpy(), batch.labels.tolist(), strict=True):
            found.append((tuple(module.vocabulary.decode(np.flatnonzero(row).astype(np.int32))), label))
    return found


def test_the_loaders_hold_the_training_validation_and_test_reviews(tmp_path: Path) -> None:
    module = module_of(write_hub_layout(tmp_path, SOME, TEST))
    sizes = [
        [len(batch.labels) for batch in batches_of(loader)]
        for loader in (module.train_dataloader(), module.val_dataloader(), module.test_dataloader())
    ]
    assert sizes == [[8, 8, 8, 8, 8], [20], [3]]
    assert reviews_in(module, module.predict_dataloader()) == reviews_in(module, module.test_dataloader())


def test_training_and_validation_together_are_the_training_reviews(tmp_path: Path) -> None:
    module = module_of(write_hub_layout(tmp_path, SOME, TEST), columns=1_000)
    train = reviews_in(module, module.train_dataloader())
    val = reviews_in(module, module.val_dataloader())
    assert sorted(label for _, label in train + val) == [0.0] * 30 + [1.0] * 30
    assert {("good" in words, "bad" in words, label) for words, label in train + val} == {
        (True, False, 1.0),
        (False, True, 0.0),
    }


def test_the_vocabulary_is_learnt_from_the_training_part_alone(tmp_path: Path) -> None:
    own = [(f"word{number} common", number % 2) for number in range(10)]
    module = module_of(write_hub_layout(tmp_path, own, [("common tested", 1)]), val_size=4)
    known = set(module.vocabulary.terms)
    assert len(known & {f"word{number}" for number in range(10)}) == 6
    assert all("?" in words for words, _ in reviews_in(module, module.val_dataloader()))
    assert reviews_in(module, module.test_dataloader()) == [(("?", "common"), 1.0)]


def test_terms_are_left_out_in_training_alone(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path, SOME, TEST)
    data = DataSettings(source=str(folder), cache_dir=str(folder / ".cache"), val_size=20, batch_size=8)
    whole, half = (
        ReviewDataModule(data, features=FeatureSettings(columns=30, dropout=dropout)) for dropout in (0.0, 0.5)
    )
    for name in ("val_dataloader", "test_dataloader", "predict_dataloader"):
        assert_equal_batches(getattr(whole, name)(), getattr(half, name)())
    ones, left = (
        torch.cat([batch.features.to_dense() for batch in batches_of(module.train_dataloader())])
        for module in (whole, half)
    )
    assert torch.equal(left, torch.where(left == 0, 0, 2 * ones))
    assert 0.3 < float((left > 0).sum() / ones.sum()) < 0.7


def test_a_validation_fraction_means_the_same_as_its_count(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path, SOME, TEST)
    one, other = module_of(folder, val_size=0.25), module_of(folder, val_size=15)
    assert reviews_in(one, one.val_dataloader()) == reviews_in(other, other.val_dataloader())


def test_without_validation_reviews_there_is_no_validation_loader(tmp_path: Path) -> None:
    module = module_of(write_hub_layout(tmp_path, SOME, TEST), val_size=0)
    assert module.val_dataloader() == []
    assert sum(len(batch.labels) for batch in batches_of(module.train_dataloader())) == 60


@pytest.mark.parametrize("layout", ["csr", "dense"])
def test_a_shuffled_source_gives_identical_batches(layout: str, tmp_path: Path) -> None:
    shuffled = random.Random(1).sample(SOME, len(SOME))  # noqa: S311 - no secret
    one = module_of(write_hub_layout(tmp_path / "one", SOME, TEST), layout=layout)
    other = module_of(write_hub_layout(tmp_path / "other", shuffled, TEST[::-1]), layout=layout)
    assert one.vocabulary.terms == other.vocabulary.terms
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        assert_equal_batches(getattr(one, name)(), getattr(other, name)())


def assert_equal_batches(one: ReviewLoader, other: ReviewLoader) -> None:
    for left, right in itertools.zip_longest(batches_of(one), batches_of(other)):
        assert torch.equal(left.features.to_dense(), right.features.to_dense())
        assert torch.equal(left.labels, right.labels)


def test_an_equal_tree_gives_identical_batches(tmp_path: Path) -> None:
    one = module_of(write_hub_layout(tmp_path / "hub", SOME, TEST))
    other = module_of(write_acl_tree(tmp_path / "tree", SOME, TEST))
    assert_equal_batches(one.train_dataloader(), other.train_dataloader())


def test_the_seed_decides_the_split_and_the_order(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path, SOME, TEST)
    zero, again, one = (module_of(folder, seed) for seed in (0, 0, 1))
    assert_equal_batches(zero.train_dataloader(), again.train_dataloader())
    assert sorted(reviews_in(zero, zero.val_dataloader())) != sorted(reviews_in(one, one.val_dataloader()))


def test_equal_reviews_fall_on_one_side(tmp_path: Path) -> None:
    twins = [(f"Film {number}!", 1) for number in range(10)] + [(f"film, {number}", 0) for number in range(10)]
    for seed in range(5):
        module = module_of(write_hub_layout(tmp_path / str(seed), twins, TEST), seed, val_size=8, columns=1_000)
        train, val = module.prepared.labels["train"], module.prepared.labels["val"]
        assert (len(train), train.sum(), len(val), val.sum()) == (12, 6, 8, 4)


def test_a_source_without_test_reviews_trains_and_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\n" + "".join(f"{t},{n}\n" for t, n in SOME), encoding="utf-8")
    settings = DataSettings(
        source="files", train=str(tmp_path / "train.csv"), val_size=10, cache_dir=str(tmp_path / "cache")
    )
    module = ReviewDataModule(settings)
    assert len(module.train_dataloader()) == 1
    with pytest.raises(UserError) as refusal:
        module.test_dataloader()
    assert str(refusal.value) == (
        f"files {tmp_path / 'train.csv'}: there is no test part; data.test names one, data.test_size=0.2 splits one off"
    )


def test_a_validation_part_that_leaves_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^data\.val_size=10000: must be below the 8 training reviews"):
        module_of(write_hub_layout(tmp_path), val_size=10_000)


def test_a_corpus_without_training_part_is_refused() -> None:
    with pytest.raises(UserError, match=r"^files here: there is no training part$"):
        prepare_reviews(loaded(encode(test=TEST)), DataSettings(), LECTURE.features, 0)


def test_nothing_is_read_before_setup_and_only_once(tmp_path: Path) -> None:
    module = ReviewDataModule(DataSettings(source=str(tmp_path / "absent"), cache_dir=str(tmp_path / "cache")))
    with pytest.raises(UserError, match="absent"):
        module.setup()
    module = module_of(write_hub_layout(tmp_path / "here", SOME, TEST))
    prepared = module.prepared
    module.setup("fit")
    assert module.prepared is prepared


def test_the_rows_of_the_parts_read_back_as_their_words(tmp_path: Path) -> None:
    module = module_of(write_hub_layout(tmp_path), val_size=0, columns=1_000)
    corpus = module.loaded.corpus
    for part in ("train", "test"):
        expected = [
            (sorted(set(words) & set(module.vocabulary.terms)), float(n))
            for words, n in read_back(corpus, corpus.parts[part])
        ]
        matrix = module.prepared.matrices[part]
        decoded = [sorted(w for w in module.vocabulary.decode(matrix.row(k)) if w != "?") for k in range(len(matrix))]
        assert list(zip(decoded, module.prepared.labels[part].tolist(), strict=True)) == expected


class Recorder(pl.LightningModule):
    """Learns nothing; notes the labels of each training batch."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen: list[list[list[float]]] = []

    def on_train_epoch_start(self) -> None:
        self.seen.append([])

    def training_step(self, batch: ReviewBatch) -> Tensor:
        self.seen[-1].append(batch.features.to_dense().sum(dim=0).tolist())
        return self.weight * 0.0

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_lightning_tells_the_loader_the_epoch(tmp_path: Path) -> None:
    module = module_of(write_hub_layout(tmp_path, SOME, TEST), val_size=0)
    recorder = Recorder()
    quiet: Any = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    pl.Trainer(accelerator="cpu", max_epochs=3, **quiet).fit(recorder, module.train_dataloader())
    for epoch, seen in enumerate(recorder.seen):
        expected = [
            batch.features.to_dense().sum(dim=0).tolist() for batch in batches_of(module.train_dataloader(), epoch)
        ]
        assert seen == expected
    assert recorder.seen[0] != recorder.seen[1]


def test_the_real_reviews_become_15000_10000_and_25000(imdb_module: ReviewDataModule) -> None:
    loaders: list[Any] = [imdb_module.train_dataloader(), imdb_module.val_dataloader(), imdb_module.test_dataloader()]
    assert [len(loader.matrix) for loader in loaders] == [15_000, 10_000, 25_000]
    assert [len(loader) for loader in loaders] == [30, 3, 7]
    assert len(imdb_module.vocabulary) == 10_000
    first = next(iter(loaders[0]))
    assert first.features.shape == (512, 10_000)
    assert first.transpose.shape == (10_000, 512)


def test_without_validation_all_25000_real_reviews_train(encoded_imdb: LoadedCorpus) -> None:
    prepared = prepare_reviews(encoded_imdb, DataSettings(val_size=0), LECTURE.features, 0)
    assert {part: len(matrix) for part, matrix in prepared.matrices.items()} == {
        "train": 25_000,
        "val": 0,
        "test": 25_000,
    }
    assert isinstance(prepared.vectorizer.vocabulary, Vocabulary)
    assert prepared.labels["train"].sum() == 12_500


def test_the_training_example_data_is_what_the_helpers_say() -> None:
    groups = encode(train=TRAIN).parts["train"].sequences
    assert len(TRAIN) - len(set(groups.tolist())) == 2


@pytest.mark.parametrize("val_size", [1, 3])
def test_a_validation_part_that_no_group_of_equal_reviews_fits_is_refused(tmp_path: Path, val_size: int) -> None:
    folder = write_hub_layout(tmp_path / "same", train=[("the same", 0), ("the same", 1)] * 5)
    with pytest.raises(UserError, match=rf"data\.val_size={val_size}: only 0 of "):
        module_of(folder, val_size=val_size)


def test_a_trainer_of_several_processes_is_refused_with_the_way_to_use_them(tmp_path: Path) -> None:
    module = module_of(write_hub_layout(tmp_path, SOME, TEST))
    module.trainer = pl.Trainer(accelerator="cpu", devices=2, logger=False, enable_checkpointing=False)
    with pytest.raises(UserError) as refusal:
        module.setup("fit")
    assert str(refusal.value) == (
        "trainer.devices=2: must be 1; to use several cores, run several jobs: "
        "imdbclf train -m … hydra/launcher=processes"
    )


def test_a_batch_is_moved_to_a_device_unless_it_is_there(tmp_path: Path) -> None:
    module = module_of(write_hub_layout(tmp_path, SOME, TEST))
    batch = next(iter(module.train_dataloader()))
    assert module.transfer_batch_to_device(batch, torch.device("cpu"), 0) is batch
    moved = module.transfer_batch_to_device(batch, torch.device("meta"), 0)
    assert moved.labels.device.type == moved.features.device.type == "meta"
