"""The reviews as a `LightningDataModule`."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

import lightning.pytorch as pl
import numpy as np
import numpy.typing as npt
import torch

from imdbclf.data.batches import EVALUATION_BATCH, ReviewBatch, SharedBatch
from imdbclf.data.cache import CachedCorpus, cache_folder, load_or_encode
from imdbclf.data.loader import ReviewLoader
from imdbclf.data.prepare import LoadedReviews, PreparedReviews, prepare_reviews
from imdbclf.data.shards import Shard
from imdbclf.data.sources.base import Source
from imdbclf.data.sources.choose import open_source
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError
from imdbclf.settings import LECTURE_FEATURES, DataSettings, FeatureSettings


class ReviewDataModule(pl.LightningDataModule):
    """Training, validation and test reviews as multi-hot batches.

    `setup` reads the reviews (from the cache, if they have been encoded before), splits off the validation part by
    content and `seed`, learns from the training part alone what the columns are and encodes all parts so.

    Args:
        settings: where the reviews come from and how they become batches.
        seed: decides the split and the order of the training batches.
        loaded: what `imdbclf.data.prepare.load_reviews` gave for the same settings and seed, where that was done
            before.
        features: what the columns are and hold; the lecture's by default.
    """

    def __init__(
        self,
        settings: DataSettings | None = None,
        seed: int = 0,
        loaded: LoadedReviews | None = None,
        features: FeatureSettings | None = None,
    ) -> None:
        super().__init__()
        self.settings, self.feature_settings = settings or DataSettings(), features or LECTURE_FEATURES
        self.seed = seed
        self.kept = loaded.kept if loaded is not None else None
        if loaded is not None:
            self.source, self.encoded, self.prepared = loaded.source, loaded.encoded, loaded.prepared

    @cached_property
    def source(self) -> Source:
        """Where the reviews come from; decided once, since `auto` may look at the network."""
        return open_source(self.settings)

    @cached_property
    def encoded(self) -> CachedCorpus:
        """The whole corpus with its words numbered, before any split."""
        return load_or_encode(
            self.source, cache_folder(self.settings.cache_dir), sentence_ends=self.feature_settings.sentence_ends
        )

    @cached_property
    def prepared(self) -> PreparedReviews:
        """The parts that the loaders cut batches from."""
        return self._prepare(self.settings, None)

    @property
    def vocabulary(self) -> Vocabulary:
        """The terms that have a column, learnt from the training part."""
        return self.prepared.vectorizer.vocabulary

    def with_seed(self, seed: int) -> ReviewDataModule:
        """The same parts, the training part in the order of another seed."""
        return self._with(self.settings, seed, self.prepared)

    def with_pseudo_labels(self, answers: npt.NDArray[np.float32]) -> ReviewDataModule:
        """The unlabelled reviews as training reviews, given the probability of being positive of each, (n,).

        What the columns are is learnt anew, from all of them.
        """
        return self._with(self.settings, self.seed, self._prepare(self.settings, answers))

    def with_settings(self, settings: DataSettings) -> ReviewDataModule:
        """The same corpus, split and prepared by other settings."""
        return self._with(settings, self.seed, self._prepare(settings, None))

    def _prepare(self, settings: DataSettings, answers: npt.NDArray[np.float32] | None) -> PreparedReviews:
        where = self.source.description
        return prepare_reviews(self.encoded, settings, self.feature_settings, self.seed, where, answers)

    def _with(self, settings: DataSettings, seed: int, prepared: PreparedReviews) -> ReviewDataModule:
        loaded = LoadedReviews(self.source, self.encoded, prepared)
        return ReviewDataModule(settings, seed, loaded, self.feature_settings)

    def prepare_data(self) -> None:
        """Read and encode once for all processes of a machine."""
        _ = self.encoded

    def setup(self, stage: str | None = None) -> None:  # noqa: ARG002 - Lightning's signature
        """Split, learn the vocabulary, encode; does nothing the second time."""
        _ = self.prepared

    def train_dataloader(self) -> ReviewLoader:
        """Batches of `data.batch_size` in an order of (seed, epoch); in one fixed order under `overfit_batches`."""
        overfits = self.trainer is not None and self.trainer.overfit_batches > 0  # type: ignore[attr-defined] # set late
        return self._loader("train", self.settings.batch_size, None if overfits else self.seed, training=True)

    def val_dataloader(self) -> ReviewLoader | list[ReviewLoader]:
        """The validation part in few large batches; no loader at all where there is none."""
        return self._loader("val", EVALUATION_BATCH) if len(self.prepared.matrices["val"]) else []

    def test_dataloader(self) -> ReviewLoader:
        """The test part in few large batches.

        Raises:
            UserError: if the source has no test part.
        """
        if "test" not in self.prepared.matrices:
            msg = f"{self.source.description}: there is no test part; data.test names one"
            raise UserError(msg)
        return self._loader("test", EVALUATION_BATCH)

    def predict_dataloader(self) -> ReviewLoader:
        """The whole test part in every process, so that predictions are complete and in order in each."""
        loader = self.test_dataloader()
        loader.shard = Shard()
        return loader

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Hand on what is there already, as our own batches are; looking through them would cost a tenth of a step."""
        if isinstance(batch, ReviewBatch) and batch.labels.device == device:
            return batch
        if isinstance(batch, SharedBatch):
            moved = super().transfer_batch_to_device(ReviewBatch(*batch), device, dataloader_idx)
            return SharedBatch.of(moved, batch.share)
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    def _loader(self, part: str, batch_size: int, seed: int | None = None, *, training: bool = False) -> ReviewLoader:
        # Kept batches are whole ones; a share of them is cut each time.
        prepared, shard = self.prepared, self._shard()
        return ReviewLoader(
            prepared.matrices[part],
            prepared.labels[part],
            batch_size,
            self.settings.layout,
            seed=seed,
            training=training,
            device=self.trainer.strategy.root_device if self.trainer else None,
            keep=partial(self.kept.epoch, part) if self.kept and shard is None else None,
            shard=shard,
            feature_dropout=self.feature_settings.dropout if training else 0.0,
        )

    def _shard(self) -> Shard | None:
        """What Lightning would tell a `DistributedSampler`; None for a process without others."""
        told = getattr(self.trainer.strategy, "distributed_sampler_kwargs", None) if self.trainer else None
        return Shard(told["rank"], told["num_replicas"]) if told else None

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs for its batches; the corpus stays behind, and is opened again if asked for."""
        return {name: value for name, value in self.__dict__.items() if name not in {"source", "encoded"}} | {
            "kept": None
        }
