"""The first lines of a run: its reviews, its columns, its network and its fit."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import lightning.pytorch as pl
import numpy as np
import torch

from imdbclf.console import console, say_table, tell
from imdbclf.data.corpus import EncodedReviews
from imdbclf.data.datamodule import NO_TEST_PART, ReviewDataModule
from imdbclf.data.sources.labels import order_of
from imdbclf.reports.network import goals, network_table
from imdbclf.settings import LECTURE, DataSettings, FeatureSettings, Settings
from imdbclf.training.compose import composed
from imdbclf.training.memory import check_memory

log = logging.getLogger(__name__)

PART_NAMES = {"train": "training", "val": "validation", "test": "test", "unlabelled": "unlabelled"}
"""The names of the parts in messages."""


def print_network(overrides: Sequence[str]) -> None:
    """Print the network that a command line `imdbclf train OVERRIDES` would fit, if there are words for all columns.

    Raises:
        UserError: for a wrong setting, and for a network that is too large for the memory.
    """
    settings = composed(overrides)
    check_memory(settings, settings.features.columns, settings.data.batch_size)
    console().print(network_table(settings, settings.features.columns))
    for line in goals(settings):
        tell(line)


def announce(settings: Settings, data: ReviewDataModule, trainer: pl.Trainer, because: str | None) -> None:
    """Log what the run is about to do; `because` is the reason for the source, if the user named none."""
    _announce_reviews(settings, data, because)
    say_table(network_table(settings, len(data.vocabulary)))
    for line in goals(settings):
        log.info("%s", line)
    log.info(
        "Fit:    %d epochs in batches of %s on %s (threads: %d), seed %d",
        trainer.max_epochs,
        settings.data.batch_size,
        trainer.strategy.root_device,
        torch.get_num_threads(),
        settings.seed,
    )


def _announce_reviews(settings: Settings, data: ReviewDataModule, because: str | None) -> None:
    loaded, features = data.loaded, settings.features
    parts = {part: len(matrix) for part, matrix in data.prepared.matrices.items()}
    counts = ", ".join(f"{count:,} {PART_NAMES[part]}" for part, count in parts.items())
    labels = "{} = 0, {} = 1 (positive)".format(*loaded.label_names)
    log.info("Data:   %s%s", loaded.source.description, f" (because {because})" if because else "")
    lines = [f"{counts} reviews; {labels}; words {'from the cache' if loaded.from_cache else 'encoded now'}"]
    lines += loaded.notes
    if "test" not in parts:
        lines.append(f"no test part, so nothing is tested: {NO_TEST_PART}")
    if settings.data.positive is None and (order := order_of(loaded.label_names)):
        lines.append(f"labels in {order} order; data.positive=LABEL chooses the positive one")
    # The sample is generated word by word, so its reviews are about no films.
    if parts["val"] and settings.data.source != "sample":
        lines.append(_about_groups(settings.data, loaded.corpus.parts["train"]))
    if len(data.vocabulary) < features.columns:
        lines.append(f"only {len(data.vocabulary):,} columns: the training part has no more words")
    elif features != LECTURE.features:
        lines.append(_features_line(features))
    if parts["train"] < settings.data.batch_size:
        lines.append("one batch an epoch: the training part has no more reviews")
    for line in lines:
        log.info("        %s", line)


def _about_groups(settings: DataSettings, train: EncodedReviews) -> str:
    """How many groups the split keeps together, or a warning if reviews of one film can be in both parts."""
    if train.groups is None:
        cure = "data.group=COLUMN" if settings.source == "files" else "data.group=film with an aclImdb tree"
        subject = "product, or by one person," if settings.source == "files" else "film"
        optimistic = f"validation accuracy may be optimistic: reviews of one {subject} can be in both parts"
        return f"{optimistic} ({cure} keeps them together)"
    return f"{len(np.unique(train.groups)):,} groups by {settings.group}, each in one part of the split"


def _features_line(features: FeatureSettings) -> str:
    """The columns in one line."""
    terms = "words" if features.order == 1 else f"terms of up to {features.order} words"
    values = "ones" if features.weighting == "multi_hot" else "log-odds"
    length = ", rows of length 1" if features.unit_length else ""
    dropout = f", {features.dropout:.0%} of them left out in training" if features.dropout else ""
    return f"{features.columns:,} columns: {terms} by {features.selection}, {values}{length}{dropout}"
