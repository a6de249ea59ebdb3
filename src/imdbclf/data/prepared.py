"""The encoded corpus as the rows that batches are cut from: split, vocabulary, multi-hot encoding. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imdbclf.data.cache import CachedCorpus, cache_folder, load_or_encode
from imdbclf.data.features import Features
from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.data.selection import learn_vocabulary
from imdbclf.data.sources import Source, open_source
from imdbclf.data.split import split_rows, validation_count
from imdbclf.data.weighting import learn_weighting
from imdbclf.errors import UserError
from imdbclf.settings import LECTURE_FEATURES, DataSettings, FeatureSettings

if TYPE_CHECKING:
    from imdbclf.data.shared import KeptBatches


@dataclass(frozen=True)
class PreparedReviews:
    """The parts (`train`, `val` and, where there is one, `test`): of each a matrix and its labels, int8 (n,)."""

    features: Features
    matrices: dict[str, MultiHotMatrix]
    labels: dict[str, npt.NDArray[np.int8]]


@dataclass(frozen=True)
class LoadedReviews:
    """Where reviews come from, the whole corpus with its words numbered, and the parts made from it.

    `kept` holds batches for other jobs that want the same, where there are such jobs.
    """

    source: Source
    encoded: CachedCorpus
    prepared: PreparedReviews
    kept: KeptBatches | None = None


def load_reviews(settings: DataSettings, seed: int, features: FeatureSettings = LECTURE_FEATURES) -> LoadedReviews:
    """Everything that precedes the network: open the source, read or find it encoded, split, encode.

    Raises:
        UserError: if the source can't be read, or can't be split as the settings say.
    """
    source = open_source(settings)
    encoded = load_or_encode(source, cache_folder(settings.cache_dir), marks=features.marks)
    return LoadedReviews(source, encoded, prepare_reviews(encoded, settings, features, seed, source.description))


def prepare_reviews(
    cached: CachedCorpus, settings: DataSettings, features: FeatureSettings, seed: int, where: str
) -> PreparedReviews:
    """Split off the validation part, learn what the columns are from the rest, encode every part so.

    Raises:
        UserError: if there is no training part, the validation part would leave nothing of it, or there are fewer
            n-grams than columns.
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
    vocabulary = learn_vocabulary(corpus, train, features, rows)
    disk = cache_folder(settings.cache_dir)
    train_matrix = Features(vocabulary).encode(corpus, train, rows, disk)
    learnt = Features(vocabulary, learn_weighting(features, train_matrix, train.labels[rows]), features.marks)
    matrices, labels = {"train": train_matrix.weighted(learnt.weighting)}, {"train": train.labels[rows]}
    others = {"val": ("train", val_rows), "test": ("test", None)}
    for name, (part, part_rows) in others.items():
        if part in corpus.parts:
            reviews = corpus.parts[part]
            matrices[name] = learnt.encode(corpus, reviews, part_rows, disk)
            labels[name] = reviews.labels if part_rows is None else reviews.labels[part_rows]
    return PreparedReviews(learnt, matrices, labels)
