"""The first words of test reviews, from the corpus in the cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from omegaconf import OmegaConf

from imdbclf.data.corpus import Corpus
from imdbclf.data.load import load_cached_corpus
from imdbclf.errors import UserError, one_line
from imdbclf.folders.run import RunFolder
from imdbclf.settings import Settings

WORDS = 25
"""Words that are shown of a review."""


@dataclass(frozen=True)
class ReviewStarts:
    """The first words of reviews by their id; `note` says why there are none."""

    by_id: Mapping[str, str]
    note: str | None


def find_review_starts(folder: RunFolder, ids: Sequence[str]) -> ReviewStarts:
    """The first words of a run's test reviews. What is missing is a note, not an error.

    Only a corpus in the cache is used: to read and encode one for a few lines would take longer than the comparison.
    """
    try:
        whole = Settings.from_config(_settings(folder))
        loaded = load_cached_corpus(whole.data, sentence_ends=whole.features.sentence_ends)
        if loaded is None:
            return ReviewStarts({}, "no words are shown: the reviews of the first run are no longer in the cache")
        return ReviewStarts(_first_words(loaded.corpus, ids), None)
    except (UserError, OSError, ValueError) as error:
        return ReviewStarts({}, f"no words are shown: the reviews of the first run were not found ({one_line(error)})")


def _settings(folder: RunFolder) -> dict[str, Any]:
    """The settings in the run's `config.yaml`, without the part for Hydra."""
    try:
        config = OmegaConf.to_container(OmegaConf.load(folder.config))
    except Exception as error:
        # For a file that is not YAML, the reader raises errors of many types.
        raise ValueError(str(error)) from error
    if not isinstance(config, dict):
        msg = f"{folder.config} has no settings"
        raise ValueError(msg)
    return {str(key): value for key, value in config.items() if key != "defaults"}


def _first_words(corpus: Corpus, ids: Sequence[str]) -> dict[str, str]:
    """The first words of those reviews of the test part, by id."""
    reviews = corpus.parts.get("test")
    if reviews is None:
        return {}
    # An id is the hash of the text in hexadecimal, with a number if the text is a repeat.
    rows = np.searchsorted(reviews.ids, [np.uint64(int(name.partition("-")[0], 16)) for name in ids])
    found = {}
    for name, row in zip(ids, rows.tolist(), strict=True):
        if row < len(reviews) and f"{reviews.ids[row]:016x}" == name.partition("-")[0]:
            start = int(reviews.offsets[row])
            stop = min(start + WORDS, int(reviews.offsets[row + 1]))
            words = corpus.dictionary.take(pa.array(reviews.words[start:stop])).to_pylist()
            found[name] = " ".join(words) + (" …" if stop < reviews.offsets[row + 1] else "")
    return found
