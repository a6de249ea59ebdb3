"""How test reviews begin, from the encoded reviews in the cache, where a run's are still there."""

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
"""Words of a beginning."""


@dataclass(frozen=True)
class Beginnings:
    """The first words of reviews by their id; `note` says why there are none."""

    of: Mapping[str, str]
    note: str | None


def find_beginnings(folder: RunFolder, ids: Sequence[str]) -> Beginnings:
    """The beginnings of a run's test reviews; they are an addition, so that nothing that is missing is an error.

    Only reviews that are in the cache are looked at: to read and encode a corpus for a few lines would take longer
    than the comparison.
    """
    try:
        whole = Settings.from_config(_settings(folder))
        loaded = load_cached_corpus(whole.data, sentence_ends=whole.features.sentence_ends)
        if loaded is None:
            return Beginnings({}, "the run's reviews are not in the cache any more, so their words are not shown")
        return Beginnings(_beginnings(loaded.corpus, ids), None)
    except (UserError, OSError, ValueError) as error:
        return Beginnings({}, f"the run's reviews can't be found, so their words are not shown ({one_line(error)})")


def _settings(folder: RunFolder) -> dict[str, Any]:
    """The experiment as the run's `config.yaml` has it, without what Hydra itself reads there."""
    try:
        config = OmegaConf.to_container(OmegaConf.load(folder.config))
    except Exception as error:
        # A file that is no YAML makes its reader raise errors of many kinds.
        raise ValueError(str(error)) from error
    if not isinstance(config, dict):
        msg = f"{folder.config} holds no settings"
        raise ValueError(msg)
    return {str(key): value for key, value in config.items() if key != "defaults"}


def _beginnings(corpus: Corpus, ids: Sequence[str]) -> dict[str, str]:
    """The first words of the wanted reviews among those of the test part."""
    reviews = corpus.parts.get("test")
    if reviews is None:
        return {}
    # A name is the hash of the text in hexadecimal, with a number where the text is a repeat.
    rows = np.searchsorted(reviews.ids, [np.uint64(int(name.partition("-")[0], 16)) for name in ids])
    found = {}
    for name, row in zip(ids, rows.tolist(), strict=True):
        if row < len(reviews) and f"{reviews.ids[row]:016x}" == name.partition("-")[0]:
            start = int(reviews.offsets[row])
            stop = min(start + WORDS, int(reviews.offsets[row + 1]))
            words = corpus.dictionary.take(pa.array(reviews.words[start:stop])).to_pylist()
            found[name] = " ".join(words) + (" …" if stop < reviews.offsets[row + 1] else "")
    return found
