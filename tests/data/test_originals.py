"""The texts of reviews, found again in their source."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imdbclf.data.load_corpus import load_corpus
from imdbclf.data.originals import texts_of
from imdbclf.data.tokenize import tokenize
from imdbclf.settings import SourceSettings


def test_texts_are_those_of_their_ids(small_files: dict[str, Path], tmp_path: Path) -> None:
    loaded = load_corpus(SourceSettings(source=str(small_files["train"]), cache_dir=str(tmp_path)))
    reviews, words = loaded.corpus.parts["test"], loaded.corpus.dictionary.to_pylist()
    chosen = np.array([3, 500, 7])
    found = texts_of(loaded.source, reviews.ids[chosen])
    assert len(found) == 3
    for row in chosen.tolist():
        numbers = reviews.words[reviews.offsets[row] : reviews.offsets[row + 1]]
        assert tokenize(found[int(reviews.ids[row])]) == [words[number] for number in numbers]


def test_what_the_source_no_longer_has_is_left_out(small_files: dict[str, Path], tmp_path: Path) -> None:
    loaded = load_corpus(SourceSettings(source=str(small_files["train"]), cache_dir=str(tmp_path)))
    assert texts_of(loaded.source, np.array([1], np.uint64)) == {}
