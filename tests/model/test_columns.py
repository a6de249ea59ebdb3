"""A network is used with the columns that it was trained with."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from imdbclf.checkpoint import attachment, read_checkpoint
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.errors import UserError
from imdbclf.inference.predictor import Predictor
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.settings import DataSettings, FeatureSettings
from model.helpers import quiet_trainer


@pytest.fixture
def data() -> ReviewDataModule:
    return ReviewDataModule(DataSettings(source="sample"), features=FeatureSettings(columns=50))


def test_a_data_module_with_another_vocabulary_is_refused_when_a_stage_starts(
    finished_run: Path, data: ReviewDataModule
) -> None:
    network = ReviewClassifier.load_from_checkpoint(finished_run / "checkpoints" / "best.ckpt")
    trainer = quiet_trainer(max_epochs=1)
    for stage in (trainer.test, trainer.validate, trainer.predict, trainer.fit):
        with pytest.raises(UserError, match="its vocabulary differs from that of the network"):
            stage(network, datamodule=data)


def test_a_checkpoint_of_another_trainer_says_how_to_add_what_is_missing(
    tmp_path: Path, data: ReviewDataModule
) -> None:
    data.setup()
    network, trainer = (
        ReviewClassifier(50, [2]),
        quiet_trainer(max_epochs=1, limit_train_batches=1, limit_val_batches=0),
    )
    trainer.fit(network, datamodule=data)
    trainer.save_checkpoint(tmp_path / "bare.ckpt")
    with pytest.raises(UserError, match=r"has no vocabulary.*before the fit, set network\.attachment = "):
        read_checkpoint(tmp_path / "bare.ckpt")
    network.attachment = attachment(data.prepared.vectorizer, label_names=[*data.loaded.label_names])
    trainer.save_checkpoint(tmp_path / "whole.ckpt")
    assert len(Predictor.from_checkpoint(tmp_path / "whole.ckpt").predict(["a great film"])) == 1


def test_copies_of_network_and_data_are_the_same(finished_run: Path, data: ReviewDataModule) -> None:
    network = ReviewClassifier.load_from_checkpoint(finished_run / "checkpoints" / "best.ckpt")
    data.setup()
    for copied in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):  # noqa: S301 - our own
        assert copied.vocabulary == network.vocabulary
    for other in (copy.deepcopy(data), pickle.loads(pickle.dumps(data))):  # noqa: S301 - our own
        assert other.vocabulary.as_text() == data.vocabulary.as_text()
