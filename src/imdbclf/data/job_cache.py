"""What the jobs of a sweep have in common, kept by a process for as long as its jobs want the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from imdbclf.data.cache import CachedCorpus, cache_folder, cache_key, load_or_encode
from imdbclf.data.prepare import LoadedReviews, prepare_reviews
from imdbclf.data.sources.base import Source
from imdbclf.data.sources.choose import ChosenSource, choose_source, open_source
from imdbclf.settings import DataSettings, FeatureSettings

if TYPE_CHECKING:
    from imdbclf.data.batches import ReviewBatch

MEGABYTE = 1_000_000

ORIGIN = ("source", "train", "test", "text_column", "label_column", "unlabelled", "group", "cache_dir")
"""Settings that say where reviews come from and what is read of them; the others say what becomes of them."""


class KeptBatches:
    """The batches of epochs that were cut before, up to a limit; what is beyond it is cut anew each time.

    Jobs of one seed have the same batches in the same order, whatever their network and loss. Whole epochs are kept,
    the earliest first; an epoch that is left before its end is not. The next job gets the very tensors that the last
    one had, so nobody may write into them.

    Args:
        limit: bytes that the kept batches may take.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.size = limit, 0
        self._epochs: dict[tuple[str, int], list[ReviewBatch]] = {}

    def epoch(self, part: str, epoch: int, n: int, cut: Callable[[], Iterator[ReviewBatch]]) -> Iterator[ReviewBatch]:
        """The n batches of a part in an epoch: those that were kept, else those that `cut` gives."""
        if (part, epoch) in self._epochs:
            yield from self._epochs[part, epoch]
            return
        batches: list[ReviewBatch] = []
        size = 0
        for batch in cut():
            size += batch.memory
            if self.size + size <= self.limit:
                batches.append(batch)
            # Before the last batch is handed out: who knows that it is the last does not ask for another.
            if len(batches) == n:
                self._epochs[part, epoch] = batches
                self.size += size
            yield batch


def shared_reviews(settings: DataSettings, features: FeatureSettings, seed: int, limit: int) -> LoadedReviews:
    """`load_reviews`, but what the job before had in common with this one is not done again.

    Args:
        settings: where the reviews come from and how they become batches; `source` is decided (not `auto`).
        features: what the columns are.
        seed: decides the split and the order of the batches.
        limit: megabytes that batches kept for the next job may take; 0 keeps none.

    Raises:
        UserError: if the source can't be read, or can't be split as the settings say.
    """
    return _loaded(settings, features, seed, limit)


def decided_source(settings: DataSettings) -> ChosenSource:
    """`choose_source`, but asked once for all jobs: `auto` may have to wait for a network that is not there."""
    chosen = _chosen(_origin(settings))
    decided = {name: getattr(chosen.settings, name) for name in ORIGIN}
    return ChosenSource(settings.model_copy(update=decided), chosen.because)


def content_key(settings: DataSettings) -> str:
    """A key of the reviews that the settings name, by their content; wherever they lie it is the same.

    Raises:
        UserError: if a source that was named is not there.
    """
    return _opened(_origin(settings))[1]


def forget() -> None:
    """Free everything that is kept."""
    for kept in (_loaded, _encoded, _opened, _chosen):
        kept.cache_clear()


@lru_cache(maxsize=1)
def _loaded(settings: DataSettings, features: FeatureSettings, seed: int, limit: int) -> LoadedReviews:
    origin = _origin(settings)
    source, encoded = _opened(origin)[0], _encoded(origin, features.sentence_ends)
    prepared = prepare_reviews(encoded, settings, features, seed, source.description)
    return LoadedReviews(source, encoded, prepared, KeptBatches(limit * MEGABYTE) if limit else None)


@lru_cache(maxsize=4)
def _encoded(origin: DataSettings, sentence_ends: bool) -> CachedCorpus:
    return load_or_encode(_opened(origin)[0], cache_folder(origin.cache_dir), sentence_ends=sentence_ends)


@lru_cache(maxsize=4)
def _opened(origin: DataSettings) -> tuple[Source, str]:
    source = open_source(origin)
    return source, cache_key(source)


@lru_cache(maxsize=4)
def _chosen(origin: DataSettings) -> ChosenSource:
    return choose_source(origin)


def _origin(settings: DataSettings) -> DataSettings:
    return DataSettings(**{name: getattr(settings, name) for name in ORIGIN})
