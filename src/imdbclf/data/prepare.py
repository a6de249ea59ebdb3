"""The encoded corpus as the rows that batches are cut from: split, vocabulary, multi-hot encoding. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imdbclf.data.cache import CachedCorpus, cache_folder, load_or_encode
from imdbclf.data.corpus import EncodedReviews
from imdbclf.data.multihot import MultiHotMatrix, stacked
from imdbclf.data.selection import PseudoLabelled, learn_vocabulary
from imdbclf.data.sources.base import UNLABELLED, Source
from imdbclf.data.sources.choose import open_source
from imdbclf.data.split import Rows, joined, split_rows, validation_count
from imdbclf.data.term_weights import Labels, learn_term_weights
from imdbclf.data.vectorize import Vectorizer
from imdbclf.errors import UserError
from imdbclf.settings import LECTURE_FEATURES, DataSettings, FeatureSettings

if TYPE_CHECKING:
    from imdbclf.data.job_cache import KeptBatches

LEAST_SHARE = 0.5
"""Of the validation reviews that were asked for, so many must come about where groups are not divided."""


@dataclass(frozen=True)
class PreparedReviews:
    """The parts (`train`, `val` and, where there are such, `test` and `unlabelled`): of each a matrix and its labels.

    Labels are int8 (n,), those of unlabelled reviews -1. Once these have pseudo-labels, they are part
    of the training part, whose labels are float32 probabilities then.
    """

    vectorizer: Vectorizer
    matrices: dict[str, MultiHotMatrix]
    labels: dict[str, Labels]


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
    encoded = load_or_encode(source, cache_folder(settings.cache_dir), sentence_ends=features.sentence_ends)
    return LoadedReviews(source, encoded, prepare_reviews(encoded, settings, features, seed, source.description))


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


def prepare_reviews(
    cached: CachedCorpus,
    settings: DataSettings,
    features: FeatureSettings,
    seed: int,
    where: str,
    answers: npt.NDArray[np.float32] | None = None,
) -> PreparedReviews:
    """Split off the validation part, learn what the columns are from the rest, encode every part so.

    Args:
        cached: the corpus.
        settings: how it is split.
        features: what is to be learnt of the columns.
        seed: decides the split.
        where: the source in words.
        answers: the probability of being positive of each unlabelled review, which is a training review then.

    Raises:
        UserError: if there is no training part, the validation part would leave nothing of it, or there are fewer
            n-grams than columns.
    """
    corpus, disk = cached.corpus, cache_folder(settings.cache_dir)
    if "train" not in corpus.parts:
        msg = f"{where}: there is no training part"
        raise UserError(msg)
    train = corpus.parts["train"]
    rows, val_rows = _split(train, settings, validation_count(settings.val_size, len(train)), seed)
    pseudo_labelled = None if answers is None else PseudoLabelled(corpus.parts[UNLABELLED], answers)
    terms = Vectorizer(
        learn_vocabulary(corpus, train, features, rows, pseudo_labelled), sentence_ends=features.sentence_ends
    )
    matrix, labels = terms.encode(corpus, train, rows, disk), train.labels[rows]
    if pseudo_labelled is not None:
        matrix = stacked([matrix, terms.encode(corpus, pseudo_labelled.reviews, None, disk)])
        labels = np.concatenate([labels.astype(np.float32), pseudo_labelled.answers])
    learnt = replace(terms, weighting=learn_term_weights(features, matrix, labels))
    prepared = PreparedReviews(learnt, {"train": matrix.weighted(learnt.weighting)}, {"train": labels})
    others = {"val": ("train", val_rows), "test": ("test", None)}
    if pseudo_labelled is None:
        others[UNLABELLED] = (UNLABELLED, None)
    for name, (part, part_rows) in others.items():
        if part in corpus.parts:
            reviews = corpus.parts[part]
            prepared.matrices[name] = learnt.encode(corpus, reviews, part_rows, disk)
            prepared.labels[name] = reviews.labels if part_rows is None else reviews.labels[part_rows]
    return prepared
