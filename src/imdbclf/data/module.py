"""The reviews as a `LightningDataModule`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import lightning.pytorch as pl
import numpy as np
import numpy.typing as npt
from torch.utils.data import DataLoader

from imdbclf.data.batches import EVALUATION_BATCH, MultiHotDataset, ReviewBatch, review_loader
from imdbclf.data.cache import CachedCorpus, cache_folder, load_or_encode
from imdbclf.data.multihot import MultiHotMatrix, encode_reviews
from imdbclf.data.sources import Source, open_source
from imdbclf.data.split import split_rows, validation_count
from imdbclf.data.vocabulary import Vocabulary, learn_vocabulary, word_counts
from imdbclf.errors import UserError
from imdbclf.settings import DataSettings


class ReviewDataModule(pl.LightningDataModule):
    """Training, validation and test reviews as multi-hot batches.

    `setup` reads the reviews (from the cache, if they have been encoded before), splits off the validation part by
    content and `seed`, learns the vocabulary from the training part alone and encodes all parts with it.

    Args:
        settings: where the reviews come from and how they become batches.
        seed: decides the split and the order of the training batches.
    """

    def __init__(self, settings: DataSettings | None = None, seed: int = 0) -> None:
        super().__init__()
        self.settings = settings or DataSettings()
        self.seed = seed

    @cached_property
    def source(self) -> Source:
        """Where the reviews come from; decided once, since `auto` may look at the network."""
        return open_source(self.settings)

    @cached_property
    def encoded(self) -> CachedCorpus:
        """The whole corpus with its words numbered, before any split."""
        return load_or_encode(self.source, cache_folder(self.settings.cache_dir))

    @cached_property
    def prepared(self) -> PreparedReviews:
        """The parts that the loaders cut batches from."""
        return prepare_reviews(self.encoded, self.settings, self.seed, self.source.description)

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that have a column, learnt from the training part."""
        return self.prepared.vocabulary

    def prepare_data(self) -> None:
        """Read and encode once for all processes of a machine."""
        _ = self.encoded

    def setup(self, stage: str | None = None) -> None:  # noqa: ARG002 - Lightning's signature
        """Split, learn the vocabulary, encode; does nothing the second time."""
        _ = self.prepared

    def train_dataloader(self) -> DataLoader[ReviewBatch]:
        """Batches of `data.batch_size` in an order of (seed, epoch)."""
        return review_loader(self._dataset("train", training=True), self.settings.batch_size, self.seed)

    def val_dataloader(self) -> DataLoader[ReviewBatch] | list[DataLoader[ReviewBatch]]:
        """The validation part in few large batches; no loader at all where there is none."""
        return review_loader(self._dataset("val"), EVALUATION_BATCH) if len(self.prepared.matrices["val"]) else []

    def test_dataloader(self) -> DataLoader[ReviewBatch]:
        """The test part in few large batches.

        Raises:
            UserError: if the source has no test part.
        """
        if "test" not in self.prepared.matrices:
            msg = f"{self.source.description}: there is no test part; data.test names one"
            raise UserError(msg)
        return review_loader(self._dataset("test"), EVALUATION_BATCH)

    def predict_dataloader(self) -> DataLoader[ReviewBatch]:
        """The same as the test part."""
        return self.test_dataloader()

    def _dataset(self, part: str, *, training: bool = False) -> MultiHotDataset:
        prepared = self.prepared
        return MultiHotDataset(prepared.matrices[part], prepared.labels[part], self.settings.layout, training=training)


@dataclass(frozen=True)
class PreparedReviews:
    """The parts (`train`, `val` and, where there is one, `test`): of each a matrix and its labels, int8 (n,)."""

    vocabulary: Vocabulary
    matrices: dict[str, MultiHotMatrix]
    labels: dict[str, npt.NDArray[np.int8]]


def prepare_reviews(cached: CachedCorpus, settings: DataSettings, seed: int, where: str) -> PreparedReviews:
    """Split off the validation part, learn the vocabulary from the rest, encode every part with it.

    Raises:
        UserError: if there is no training part, or the validation part would leave nothing of it.
    """
    corpus = cached.corpus
    if "train" not in corpus.parts:
        msg = f"{where}: there is no training part"
        raise UserError(msg)
    train = corpus.parts["train"]
    val_count = validation_count(settings.val_size, len(train))
    rows, val_rows = split_rows(train.groups, val_count, seed)
    if val_count > 0 and len(val_rows) == 0:
        msg = f"data.val_size={settings.val_size}: more is needed, since every group of equal reviews is larger"
        raise UserError(msg)
    vocabulary = learn_vocabulary(corpus.dictionary, word_counts(corpus, train, rows), settings.vocab_size)
    column = vocabulary.columns_of_dictionary(corpus.dictionary)
    every = encode_reviews(train, column, len(vocabulary))
    matrices = {"train": every.take(rows), "val": every.take(val_rows)}
    labels = {"train": train.labels[rows], "val": train.labels[val_rows]}
    if "test" in corpus.parts:
        matrices["test"] = encode_reviews(corpus.parts["test"], column, len(vocabulary))
        labels["test"] = corpus.parts["test"].labels
    return PreparedReviews(vocabulary, matrices, labels)
