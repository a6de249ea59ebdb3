"""The encoded corpus as the rows that batches are cut from: split, vocabulary, multi-hot encoding. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imdbclf.data.cache import CachedCorpus, cache_folder, load_or_encode
from imdbclf.data.encoding import EncodedReviews
from imdbclf.data.multihot import MultiHotMatrix, encode_reviews
from imdbclf.data.sources import Source, open_source
from imdbclf.data.split import Rows, joined, split_rows, validation_count
from imdbclf.data.vocabulary import Vocabulary, learn_vocabulary, word_counts
from imdbclf.errors import UserError
from imdbclf.settings import DataSettings

if TYPE_CHECKING:
    from imdbclf.data.shared import KeptBatches

LEAST_SHARE = 0.5
"""Of the validation reviews that were asked for, so many must come about where groups are not divided."""


@dataclass(frozen=True)
class PreparedReviews:
    """The parts (`train`, `val` and, where there is one, `test`): of each a matrix and its labels, int8 (n,)."""

    vocabulary: Vocabulary
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


def load_reviews(settings: DataSettings, seed: int) -> LoadedReviews:
    """Everything that precedes the network: open the source, read or find it encoded, split, encode.

    Raises:
        UserError: if the source can't be read, or can't be split as the settings say.
    """
    source = open_source(settings)
    encoded = load_or_encode(source, cache_folder(settings.cache_dir))
    return LoadedReviews(source, encoded, prepare_reviews(encoded, settings, seed, source.description))


def _split(train: EncodedReviews, settings: DataSettings, val_count: int, seed: int) -> tuple[Rows, Rows]:
    """Row numbers of the training and of the validation part; neither equal reviews nor groups are divided.

    Raises:
        UserError: if there is nothing to divide, or too little fits into the validation part.
    """
    units = train.sequences if train.groups is None else joined(train.sequences, train.groups)
    if train.groups is not None and val_count > 0 and (units == units[0]).all():
        msg = (
            f"data.group={settings.group}: puts all {len(train):,} training reviews into one group; "
            "there must be at least two, one of them to validate on (or data.val_size=0)"
        )
        raise UserError(msg)
    rows, val_rows = split_rows(units, val_count, seed)
    if val_count > 0 and len(val_rows) == 0:
        kept = "equal reviews" if train.groups is None else f"data.group={settings.group}"
        msg = f"data.val_size={settings.val_size}: more is needed, since every group of {kept} is larger"
        raise UserError(msg)
    if train.groups is not None and len(val_rows) < LEAST_SHARE * val_count:
        msg = (
            f"data.val_size={settings.val_size}: with undivided groups of data.group={settings.group} only "
            f"{len(val_rows):,} of {val_count:,} reviews fit; the other groups are larger than what is left"
        )
        raise UserError(msg)
    return rows, val_rows


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
    rows, val_rows = _split(train, settings, val_count, seed)
    vocabulary = learn_vocabulary(corpus.dictionary, word_counts(corpus, train, rows), settings.vocab_size)
    column = vocabulary.columns_of_words(corpus.dictionary)
    matrices, labels = {}, {}
    chosen = {"train": ("train", rows), "val": ("train", val_rows), "test": ("test", None)}
    for name, (part, part_rows) in chosen.items():
        if part in corpus.parts:
            reviews, disk = corpus.parts[part], cache_folder(settings.cache_dir)
            matrices[name] = encode_reviews(reviews, column, len(vocabulary), part_rows, disk)
            labels[name] = reviews.labels if part_rows is None else reviews.labels[part_rows]
    return PreparedReviews(vocabulary, matrices, labels)
