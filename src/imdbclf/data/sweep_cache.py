"""Data that the jobs of a sweep have in common, kept in a process as long as its jobs need the same."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from imdbclf.data.cache import LoadedCorpus, cache_key
from imdbclf.data.load_corpus import ChosenSource, choose_source, corpus_of, open_source
from imdbclf.data.prepare import PreparedReviews, prepare_reviews
from imdbclf.settings import DataSettings, FeatureSettings, SourceSettings

MEGABYTE = 1_000_000

_opened = lru_cache(maxsize=4)(open_source)
_chosen = lru_cache(maxsize=4)(choose_source)


@lru_cache(maxsize=1)
def kept_reviews(settings: DataSettings, features: FeatureSettings, seed: int, limit: int) -> PreparedReviews:
    """`load_reviews`, but reuses the data of the previous job where it is the same.

    `source` is decided (not `auto`). Up to `limit` megabytes of batches are kept for the next job; 0 keeps none.

    Raises:
        UserError: if the source cannot be read, or cannot be split with these settings.
    """
    prepared = prepare_reviews(_loaded(settings.origin, features.sentence_ends), settings, features, seed)
    return replace(prepared, keep=limit * MEGABYTE)


def decided_source(settings: SourceSettings) -> ChosenSource:
    """`choose_source`, but once for all jobs: with `auto` it may wait for a network that is not available."""
    return _chosen(settings.origin)


@lru_cache(maxsize=4)
def content_key(settings: SourceSettings) -> str:
    """A key of the reviews' content; it does not depend on their place.

    Raises:
        UserError: if the source does not exist.
    """
    return cache_key(_opened(settings.origin))


def forget() -> None:
    """Free all kept data."""
    for kept in (kept_reviews, content_key, _loaded, _opened, _chosen):
        kept.cache_clear()


@lru_cache(maxsize=4)
def _loaded(origin: SourceSettings, sentence_ends: bool) -> LoadedCorpus:
    return corpus_of(_opened(origin), origin, sentence_ends=sentence_ends)
