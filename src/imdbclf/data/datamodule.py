"""The reviews as a `LightningDataModule`."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import lightning.pytorch as pl
import numpy as np
import numpy.typing as npt
import torch

from imdbclf.data.batches import EVALUATION_BATCH, ReviewBatch
from imdbclf.data.cache import LoadedCorpus
from imdbclf.data.dataloader import ReviewLoader
from imdbclf.data.prepare import PreparedReviews, load_reviews, prepare_reviews
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError
from imdbclf.settings import LECTURE, DataSettings, FeatureSettings

NO_TEST_PART = "data.test names one, data.test_size=0.2 splits one off"
"""What a user can do without a test part."""


class ReviewDataModule(pl.LightningDataModule):
    """Training, validation and test reviews as multi-hot batches, for one process.

    `setup` loads the reviews (from the cache, if they have been encoded before), splits off the validation part by
    content and `seed`, learns the columns from the training part only, and vectorizes all parts. `seed` also decides
    the order of the training batches. `prepared` is what `imdbclf.data.prepare.load_reviews` gave for the same settings
    and seed, if that was done.
    """

    def __init__(
        self,
        settings: DataSettings | None = None,
        seed: int = 0,
        prepared: PreparedReviews | None = None,
        features: FeatureSettings | None = None,
    ) -> None:
        super().__init__()
        self.settings, self.feature_settings = settings or DataSettings(), features or LECTURE.features
        self.seed = seed
        if prepared is not None:
            self.prepared = prepared

    @cached_property
    def prepared(self) -> PreparedReviews:
        """The parts from which the loaders make batches."""
        return load_reviews(self.settings, self.seed, self.feature_settings)

    @property
    def loaded(self) -> LoadedCorpus:
        """The whole corpus with numbered words, before the split, and its source."""
        return self.prepared.loaded

    @property
    def vocabulary(self) -> Vocabulary:
        """The terms that have a column, learnt from the training part."""
        return self.prepared.vectorizer.vocabulary

    def with_seed(self, seed: int) -> ReviewDataModule:
        """The same parts; the order of the training batches is that of another seed."""
        return ReviewDataModule(self.settings, seed, replace(self.prepared, keep=0), self.feature_settings)

    def with_pseudo_labels(self, probabilities: npt.NDArray[np.float32]) -> ReviewDataModule:
        """The unlabelled reviews as training reviews, given the probability of being positive of each, (n,).

        The columns are learnt again, from all training reviews.
        """
        return self.with_settings(self.settings, probabilities)

    def with_settings(
        self, settings: DataSettings, pseudo_labels: npt.NDArray[np.float32] | None = None
    ) -> ReviewDataModule:
        """The same corpus, split and prepared by other settings."""
        # The test part has been split off already.
        split = settings.model_copy(update={"test_size": 0})
        prepared = prepare_reviews(self.loaded, split, self.feature_settings, self.seed, pseudo_labels)
        return ReviewDataModule(settings, self.seed, prepared, self.feature_settings)

    def setup(self, stage: str | None = None) -> None:  # noqa: ARG002 - Lightning's signature
        """Load, split, learn the vocabulary and vectorize; a second call does nothing.

        Raises:
            UserError: if the trainer has several processes; each of them would learn from all reviews.
        """
        if self.trainer is not None and self.trainer.world_size > 1:
            msg = (
                f"trainer.devices={self.trainer.world_size}: must be 1; to use several cores, run several jobs: "
                "imdbclf train -m … hydra/launcher=processes"
            )
            raise UserError(msg)
        _ = self.prepared

    def train_dataloader(self) -> ReviewLoader:
        """Batches of `data.batch_size` in an order of (seed, epoch); in a fixed order with `overfit_batches`."""
        overfits = self.trainer is not None and self.trainer.overfit_batches > 0  # type: ignore[attr-defined] # set late
        return self._loader("train", self.settings.batch_size, None if overfits else self.seed, training=True)

    def val_dataloader(self) -> ReviewLoader | list[ReviewLoader]:
        """The validation part in a few large batches; an empty list if there is none."""
        return self._loader("val", EVALUATION_BATCH) if len(self.prepared.matrices["val"]) else []

    def test_dataloader(self) -> ReviewLoader:
        """The test part in a few large batches; a `UserError` says that there is none, or one without labels."""
        if "test" not in self.prepared.matrices:
            raise UserError(f"{self.loaded.source.description}: there is no test part; {NO_TEST_PART}")
        if (self.prepared.labels["test"] < 0).any() and self.trainer is not None and self.trainer.testing:
            msg = f"{self.loaded.source.description}: the test part has no labels; Trainer.predict needs none"
            raise UserError(msg)
        return self._loader("test", EVALUATION_BATCH)

    predict_dataloader = test_dataloader

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Return a batch that is already on the device; checking its tensors would cost a tenth of a step."""
        if isinstance(batch, ReviewBatch) and batch.labels.device == device:
            return batch
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    def _loader(self, part: str, batch_size: int, seed: int | None = None, *, training: bool = False) -> ReviewLoader:
        prepared = self.prepared
        return ReviewLoader(
            prepared.matrices[part],
            prepared.labels[part],
            batch_size,
            self.settings.layout,
            seed=seed,
            training=training,
            device=self.trainer.strategy.root_device if self.trainer else None,
            keep=partial(prepared.kept.epoch, part) if prepared.kept else None,
            feature_dropout=self.feature_settings.dropout if training else 0.0,
        )
