"""The encoded corpus as the rows that batches are cut from: split, vocabulary, multi-hot encoding. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imdbclf.data.cache import CachedCorpus, cache_folder, load_or_encode
from imdbclf.data.multihot import MultiHotMatrix, encode_reviews
from imdbclf.data.sources import Source, open_source
from imdbclf.data.split import split_rows, validation_count
from imdbclf.data.vocabulary import Vocabulary, learn_vocabulary, word_counts
from imdbclf.errors import UserError
from imdbclf.settings import DataSettings

if TYPE_CHECKING:
    from imdbclf.data.shared import KeptBatches


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
    column = vocabulary.columns_of_words(corpus.dictionary)
    matrices, labels = {}, {}
    chosen = {"train": ("train", rows), "val": ("train", val_rows), "test": ("test", None)}
    for name, (part, part_rows) in chosen.items():
        if part in corpus.parts:
            reviews, disk = corpus.parts[part], cache_folder(settings.cache_dir)
            matrices[name] = encode_reviews(reviews, column, len(vocabulary), part_rows, disk)
            labels[name] = reviews.labels if part_rows is None else reviews.labels[part_rows]
    return PreparedReviews(vocabulary, matrices, labels)
