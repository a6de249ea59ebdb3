"""Data that the jobs of a sweep have in common, kept in a process as long as its jobs need the same."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from imdbclf.data.cache import LoadedCorpus, source_key
from imdbclf.data.load_corpus import ChosenSource, choose_source, is_review_file, load_corpus, open_source
from imdbclf.data.prepare import PreparedReviews, prepare_reviews
from imdbclf.errors import UserError
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
    """`choose_source`, but once for all jobs: with `auto` it may wait for a network that is not available.

    A source that is a file is the training file.

    Raises:
        UserError: if a training file is named beside another source.
    """
    chosen = _chosen(settings.origin)
    origin = chosen.settings
    if is_review_file(Path(origin.source)) and origin.train is None:
        return replace(chosen, settings=origin.model_copy(update={"source": "files", "train": origin.source}))
    if origin.source != "files" and origin.train is not None:
        other = f"data.source={origin.source} names other reviews"
        raise UserError(f"data.train={origin.train}: is only used with data=files, and {other}")
    return chosen


def read_own_files(settings: SourceSettings, *, sentence_ends: bool) -> None:
    """Read the files of `data=files`, so that what is wrong with them is said before slow imports.

    Raises:
        UserError: if they cannot be read.
    """
    if settings.source == "files":
        _loaded(settings.origin, sentence_ends)


@lru_cache(maxsize=4)
def content_key(settings: SourceSettings) -> str:
    """A key of the reviews' content; it does not depend on their place.

    Raises:
        UserError: if the source does not exist.
    """
    return source_key(_opened(settings.origin))


def forget() -> None:
    """Free all kept data."""
    for kept in (kept_reviews, content_key, _loaded, _opened, _chosen):
        kept.cache_clear()


@lru_cache(maxsize=4)
def _loaded(origin: SourceSettings, sentence_ends: bool) -> LoadedCorpus:
    return load_corpus(origin, sentence_ends=sentence_ends, source=_opened(origin))
