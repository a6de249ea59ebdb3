"""Which terms get a column: those of the highest score among all n-grams of the training part.

| selection | a term's score |
| --- | --- |
| `frequency` | number of occurrences, repeats included, as Keras counts words |
| `log_odds` | absolute value of its log-odds (Wang & Manning 2012; see `imdbclf.data.term_weights`) |
| `z_score` | the same divided by its standard error, √(1/p + 1/q) (Monroe, Colaresi & Quinn 2008, "Fightin' Words") |

Log-odds alone prefer rare terms: a term in two positive reviews only has very high log-odds. Terms with equal scores
are ordered by their number of words, then in descending code-point order, for any order of the source. (Keras uses the
order of first occurrence; `viewer` and `brilliant` occur 1,195 times each.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.data.arrow import strings, to_arrow, to_numpy
from imdbclf.data.corpus import Corpus, EncodedReviews
from imdbclf.data.ngrams import (
    LONGEST,
    MOST_WORDS,
    Keys,
    Runs,
    last_words,
    longer_by_one,
    orders_of_keys,
    single_words,
    words_of_keys,
)
from imdbclf.data.term_weights import log_odds
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError
from imdbclf.setting_values import SELECTIONS
from imdbclf.settings import FeatureSettings

Counts = npt.NDArray[np.int64]

BLOCK = 8192
"""Reviews counted at once, a limit for the memory."""


@dataclass(frozen=True)
class Candidates:
    """Terms that may get a column: keys, numbers of occurrences, and numbers of reviews of each label.

    A review with a probability p as its label counts as p positive and 1 - p negative reviews.
    """

    keys: Keys
    occurrences: Counts
    positive: npt.NDArray[Any]
    negative: npt.NDArray[Any]


def word_counts(
    corpus: Corpus, reviews: EncodedReviews, rows: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.int64]:
    """How often each word of the dictionary occurs in the given rows (default: all), shape (words,), int64."""
    chosen = None if rows is None or len(rows) == len(reviews) else reviews.mask(rows)
    counts = np.zeros(len(corpus.dictionary), dtype=np.int64)
    for start in range(0, len(reviews), BLOCK):
        counts += np.bincount(reviews.words_between(start, start + BLOCK, chosen), minlength=len(counts))
    return counts


@dataclass(frozen=True)
class PseudoLabelled:
    """Reviews with pseudo-labels: the probability of being positive of each, (n,)."""

    reviews: EncodedReviews
    probabilities: npt.NDArray[np.float32]


def learn_vocabulary(
    corpus: Corpus,
    reviews: EncodedReviews,
    settings: FeatureSettings,
    rows: npt.NDArray[np.int64] | None = None,
    pseudo_labelled: PseudoLabelled | None = None,
) -> Vocabulary:
    """The terms selected by the settings from the given rows of a part, ascending (default: all).

    `pseudo_labelled` are more training reviews of the same corpus.

    Raises:
        UserError: if there are fewer n-grams than columns. (Fewer single words than columns are allowed.)
    """
    counts = word_counts(corpus, reviews, rows)
    if pseudo_labelled is not None:
        counts += word_counts(corpus, pseudo_labelled.reviews)
    if settings.order == 1 and settings.selection == "frequency" and settings.min_documents == 1:
        order = _ranked(np.arange(1, len(counts) + 1, dtype=np.int64), counts)[: settings.columns - 1]
        return _named(corpus.dictionary, order[counts[order] > 0] + 1)
    rows = np.arange(len(reviews), dtype=np.int64) if rows is None else rows
    words, lengths, positive = _training_words(reviews, rows, pseudo_labelled)
    candidates = _candidates(_numbered(counts, settings.min_documents)[words], lengths, positive, settings)
    wanted = settings.columns - 1
    if len(candidates.keys) < wanted and settings.order > 1:
        found = f"{len(candidates.keys):,} n-grams of up to {settings.order} words in {settings.min_documents} or more"
        raise UserError(f"features.columns={settings.columns}: there are only {found} training reviews")
    score = resolve_name(SELECTIONS[settings.selection])
    best = _ranked(candidates.keys, score(candidates, settings.smoothing))[:wanted]
    return _named(corpus.dictionary, candidates.keys[best])


def _numbered(counts: Counts, least: int) -> npt.NDArray[np.int64]:
    """The number of each word of the dictionary, from 1; 0 for words that are too rare to be counted."""
    # Only a corpus with millions of different words has more than keys can hold. The rarest are left out.
    least = max(least, 1, int(np.partition(counts, -MOST_WORDS)[-MOST_WORDS]) if len(counts) > MOST_WORDS else 1)
    return np.where(counts >= least, np.arange(1, len(counts) + 1, dtype=np.int64), 0)


def _training_words(
    reviews: EncodedReviews, rows: npt.NDArray[np.int64], pseudo_labelled: PseudoLabelled | None
) -> tuple[npt.NDArray[np.int32], Counts, npt.NDArray[np.float64]]:
    """The words of n training reviews in order, the number of words of each, and its probability of label 1."""
    words = reviews.words_between(0, len(reviews), reviews.mask(rows))
    lengths, positive = reviews.lengths[rows], reviews.labels[rows].astype(np.float64)
    if pseudo_labelled is None:
        return words, lengths, positive
    return (
        np.concatenate([words, pseudo_labelled.reviews.words]),
        np.concatenate([lengths, pseudo_labelled.reviews.lengths]),
        np.concatenate([positive, pseudo_labelled.probabilities.astype(np.float64)]),
    )


def _candidates(
    numbers: npt.NDArray[np.int64], lengths: Counts, positive: npt.NDArray[np.float64], settings: FeatureSettings
) -> Candidates:
    """All terms that are in at least `min_documents` reviews."""
    review_of, least = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths), settings.min_documents
    every_order = _every_order(numbers, lengths, settings.order, least)
    found = [_counted(runs, review_of, positive, least) for runs in every_order]
    columns = ([getattr(piece, name) for piece in found] for name in Candidates.__dataclass_fields__)
    return Candidates(*(np.concatenate(column) for column in columns))


def _every_order(numbers: npt.NDArray[np.int64], lengths: Counts, longest: int, least: int) -> Iterator[Runs]:
    """The n-grams of each order, without those that have a part in too few reviews."""
    runs, last = single_words(numbers), last_words(lengths)
    for order in range(1, longest + 1):
        runs = _frequent(runs, least)
        yield runs
        if order < longest:
            runs = longer_by_one(runs, numbers, last)


def _frequent(runs: Runs, least: int) -> Runs:
    """The n-grams with at least this many occurrences."""
    if least <= 1:
        return runs
    keys, counts = np.unique(runs.keys, return_counts=True)
    kept = to_arrow(keys[counts >= least])
    return runs.chosen(to_numpy(pc.is_in(to_arrow(runs.keys), value_set=kept).cast(pa.int8())) == 1)


def _counted(runs: Runs, review_of: npt.NDArray[np.int64], labels: npt.NDArray[np.float64], least: int) -> Candidates:
    """The different n-grams that are in at least `least` reviews; `labels` are probabilities of label 1."""
    encoded = to_arrow(runs.keys).dictionary_encode()
    keys, places = to_numpy(encoded.dictionary), to_numpy(encoded.indices).astype(np.int64)
    occurrences = np.bincount(places, minlength=len(keys))
    # An n-gram and a review become one number, so that one sort finds the repeats within a review.
    pairs = np.unique(places << 32 | review_of[runs.begins])
    terms = pairs >> 32
    documents = np.bincount(terms, minlength=len(keys))
    positive = np.bincount(terms, weights=labels[pairs & 0xFFFFFFFF], minlength=len(keys))
    kept = documents >= least
    return Candidates(keys[kept], occurrences[kept], positive[kept], (documents - positive)[kept])


def frequency(candidates: Candidates, smoothing: float) -> npt.NDArray[np.float64]:  # noqa: ARG001 - the signature of the others
    """Number of occurrences of each term."""
    return candidates.occurrences.astype(np.float64)


def distance_from_even(candidates: Candidates, smoothing: float) -> npt.NDArray[np.float64]:
    """Absolute value of the log-odds of each term."""
    return np.abs(log_odds(candidates.positive, candidates.negative, smoothing))


def z_score(candidates: Candidates, smoothing: float) -> npt.NDArray[np.float64]:
    """The same, divided by the standard error."""
    p, q = candidates.positive + smoothing, candidates.negative + smoothing
    scores: npt.NDArray[np.float64] = distance_from_even(candidates, smoothing) / np.sqrt(1 / p + 1 / q)
    return scores


def _ranked(keys: Keys, scores: npt.NDArray[np.float64] | Counts) -> npt.NDArray[np.int64]:
    """The places of the terms from the highest score to the lowest."""
    return np.lexsort((-keys, orders_of_keys(keys), -scores))


def _named(dictionary: pa.Array, keys: Keys) -> Vocabulary:
    """The vocabulary of the n-grams with these keys, in this order."""
    numbers = words_of_keys(keys)
    words = [dictionary.take(to_arrow(np.maximum(column - 1, 0))) for column in numbers.T]
    orders = orders_of_keys(keys)
    terms = words[-1]
    # To convert a Python string, Arrow would import pandas.
    blank = strings([" "])[0]
    for order in range(2, LONGEST + 1):
        longer = to_arrow((orders >= order).astype(np.int8)).cast(pa.bool_())
        terms = pc.if_else(longer, pc.binary_join_element_wise(words[-order], terms, blank), terms)
    return Vocabulary(tuple(terms.to_pylist()))
