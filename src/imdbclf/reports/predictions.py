"""What finished runs predicted for their test reviews, and the first words of these reviews."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from imdbclf.data.corpus import Corpus
from imdbclf.data.load_corpus import load_cached_corpus
from imdbclf.data.prepare import with_test_part
from imdbclf.errors import UserError, one_line
from imdbclf.folders.run import RunFolder
from imdbclf.model.calibration import EVEN
from imdbclf.settings import Settings
from imdbclf.storage import read_json

WORDS = 25
"""Words that are shown of a review."""

_COLUMNS: dict[str, type[np.generic]] = {"id": np.str_, "label": np.int8, "probability": np.float64}


@dataclass(frozen=True)
class Predictions:
    """A run's test reviews: ids (n,), labels 0 or 1 (n,), probabilities of being positive (n,).

    They are in the order of ids, then labels; rows that share both keep the order of the file.
    """

    folder: RunFolder
    ids: npt.NDArray[np.str_]
    labels: npt.NDArray[np.int8]
    probabilities: npt.NDArray[np.float64]
    threshold: float = EVEN

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each review is classified correctly (n,); positive is above the threshold, as in `metrics.json`."""
        right: npt.NDArray[np.bool_] = (self.probabilities > self.threshold) == (self.labels == 1)
        return right


def read_runs(paths: Sequence[Path]) -> list[Predictions]:
    """The predictions of the runs, with the same review in the same row.

    Raises:
        UserError: if there are fewer than two runs, one is given twice, one has no predictions, or their test reviews
            differ.
    """
    if len(paths) < 2:  # noqa: PLR2004 - to compare
        raise UserError("give the folders of at least two runs")
    resolved = [path.expanduser().resolve() for path in paths]
    for path, count in Counter(resolved).items():
        if count > 1:
            raise UserError(f"{paths[resolved.index(path)]}: is given {count} times; give different runs")
    runs = [read_predictions(path) for path in paths]
    for other in runs[1:]:
        _check_same_reviews(runs[0], other)
    return runs


def read_predictions(path: Path) -> Predictions:
    """A run's predictions, sorted.

    Raises:
        UserError: if the folder is not that of a run, or has no predictions that can be read.
    """
    folder = RunFolder(path)
    if not folder.config.is_file() and not folder.metrics.is_file():
        raise UserError(f"{path}: is not the folder of a run (it has no {folder.config.name})")
    if not folder.predictions.is_file():
        raise UserError(f"{path}: has no {folder.predictions.name}; the run is not finished, or had no test part")
    try:
        # Arrow's `read_table` and its string arrays would import pandas.
        with pq.ParquetFile(folder.predictions) as file:
            table = file.read(columns=list(_COLUMNS))
        ids, labels, probabilities = (np.array(table.column(name).to_pylist(), _COLUMNS[name]) for name in _COLUMNS)
    except (OSError, KeyError, TypeError, ValueError, OverflowError, pa.ArrowException) as error:
        raise UserError(f"{folder.predictions}: cannot be read ({one_line(error)[:80]})") from error
    if not (np.isin(labels, (0, 1)).all() and ((probabilities >= 0) & (probabilities <= 1)).all()):
        raise UserError(f"{folder.predictions}: has other labels than 0 and 1, or probabilities outside 0 to 1")
    if not len(ids):
        raise UserError(f"{folder.predictions}: has no reviews")
    order = np.lexsort((labels, ids))
    threshold = (read_json(folder.metrics) or {}).get("threshold", EVEN)
    return Predictions(folder, ids[order], labels[order], probabilities[order], threshold)


def _check_same_reviews(first: Predictions, other: Predictions) -> None:
    """Refuse runs with different reviews: the tests are paired."""
    ours, theirs = (Counter(run.ids.tolist()) for run in (first, other))
    names = f"{first.folder.path} and {other.folder.path}"
    if ours != theirs:
        only = f"{(ours - theirs).total():,} only in the first, {(theirs - ours).total():,} only in the second"
        raise UserError(f"{names}: have different test reviews ({only}); compare runs with the same test part")
    if count := int((first.labels != other.labels).sum()):
        raise UserError(f"{names}: have different labels for the same test reviews ({count:,} of {len(first.ids):,})")


def first_words(folder: RunFolder, ids: Sequence[str]) -> tuple[dict[str, str], str | None]:
    """The first words of a run's test reviews by their id, and a note if they cannot be found.

    Only a corpus in the cache is used: to read and encode one for a few lines would take longer than the comparison.
    """
    try:
        whole = _settings(folder)
        loaded = load_cached_corpus(whole.data, sentence_ends=whole.features.sentence_ends)
        corpus = None if loaded is None else with_test_part(loaded, whole.data).corpus
        if corpus is None or "test" not in corpus.parts:
            return {}, "no words are shown: the reviews of the first run are no longer in the cache"
        return _first_words(corpus, ids), None
    except Exception as error:
        # For a file that is not YAML, the reader raises errors of many types.
        return {}, f"no words are shown: the reviews of the first run were not found ({one_line(error)})"


def _settings(folder: RunFolder) -> Settings:
    return Settings.from_config({key: value for key, value in folder.read_config().items() if key != "defaults"})


def _first_words(corpus: Corpus, ids: Sequence[str]) -> dict[str, str]:
    reviews = corpus.parts["test"]
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
