"""The opening words of a run: which reviews, which columns, which network, how it is fitted."""

from __future__ import annotations

import logging

import lightning.pytorch as pl
import numpy as np
import torch

from imdbclf.data.corpus import EncodedReviews
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.model.network import make_network
from imdbclf.settings import LECTURE, DataSettings, FeatureSettings, Settings

log = logging.getLogger(__name__)

PART_NAMES = {"train": "training", "val": "validation", "test": "test", "unlabelled": "unlabelled"}
"""The parts as they are said."""


def announce(settings: Settings, data: ReviewDataModule, trainer: pl.Trainer, because: str | None) -> None:
    """Say what is about to happen.

    Args:
        settings: the experiment.
        data: its reviews, which are prepared if they were not.
        trainer: knows the device.
        because: why the reviews come from where they do, where nobody named a source.
    """
    model = settings.model
    parts = {part: len(matrix) for part, matrix in data.prepared.matrices.items()}
    names = data.loaded.label_names
    log.info("Data:   %s%s", data.loaded.source.description, f" (because {because})" if because else "")
    log.info(
        "        %s; %s = 0, %s = 1; words %s",
        ", ".join(f"{count:,} {PART_NAMES[part]}" for part, count in parts.items()) + " reviews",
        *names,
        "from the cache" if data.loaded.from_cache else "encoded now",
    )
    # The sample's reviews are drawn word by word: there are no films.
    if parts["val"] and settings.data.source != "sample":
        log.info("        %s", _about_groups(settings.data, data.loaded.corpus.parts["train"]))
    features = settings.features
    if len(data.vocabulary) < features.columns:
        log.info("        only %s columns: the training part has no more words", f"{len(data.vocabulary):,}")
    elif features != LECTURE.features:
        log.info("        %s", _features_line(features))
    if parts["train"] < settings.data.batch_size:
        log.info("        one batch an epoch: the training part has no more reviews")
    log.info(
        "Model:  %s%s, %s; %s, %s; %s parameters",
        f"{model.members} × " if model.members > 1 else "",
        "-".join(map(str, [*model.widths, 1])),
        model.activation,
        settings.loss.name,
        settings.optimizer.name,
        f"{_parameter_count(settings, len(data.vocabulary)):,}",
    )
    log.info(
        "Fit:    %d epochs in batches of %s on %s (threads: %d), seed %d",
        trainer.max_epochs,
        settings.data.batch_size,
        trainer.strategy.root_device,
        torch.get_num_threads(),
        settings.seed,
    )


def _parameter_count(settings: Settings, columns: int) -> int:
    model = settings.model
    with torch.device("meta"):
        return make_network(model.members, columns, model.widths, model.activation, model.dropout).parameter_count


def _about_groups(settings: DataSettings, train: EncodedReviews) -> str:
    """Whether validation can be better than on reviews of films that the network has read nothing of."""
    if train.groups is None:
        cure = "data.group=COLUMN" if settings.source == "files" else "data.group=film with an aclImdb tree"
        optimistic = "validation accuracy may be optimistic: reviews of one film can be in both parts"
        return f"{optimistic} ({cure} keeps them together)"
    return f"{len(np.unique(train.groups)):,} groups by {settings.group}, each on one side of the split"


def _features_line(features: FeatureSettings) -> str:
    """What the columns are, in a line."""
    terms = "words" if features.order == 1 else f"terms of up to {features.order} words"
    values = "ones" if features.weighting == "multi_hot" else "log-odds"
    length = ", rows of length 1" if features.unit_length else ""
    dropout = f", {features.dropout:.0%} of them left out in training" if features.dropout else ""
    return f"{features.columns:,} columns: {terms} by {features.selection}, {values}{length}{dropout}"
