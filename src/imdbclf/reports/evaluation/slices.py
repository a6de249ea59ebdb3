"""Groups of reviews: by length, unknown words, negations, columns of the source; repeats; doubtful labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.data.arrow import to_numpy
from imdbclf.data.corpus import Corpus, EncodedReviews
from imdbclf.data.multihot import offsets_of
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.reports.metrics import Probabilities
from imdbclf.reports.statistics import proportion_interval

NEGATION = "^(no|not|never|none|nothing|nobody|nowhere|neither|nor|without|cannot)$|n['\u2019]t$"
"""The words that negate."""

VALUES = 20
"""Values of a column that have a row; the others share one."""

LABEL_ERROR = "likely_label_error"
Columns = Mapping[str, npt.NDArray[Any]]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Slice:
    """Some of the reviews, how many are right, and the 95 % interval of the accuracy."""

    column: str
    group: str
    reviews: int
    right: int
    accuracy: float
    interval: tuple[float, float]


def columns_of(corpus: Corpus, reviews: EncodedReviews, vocabulary: Vocabulary) -> dict[str, npt.NDArray[Any]]:
    """The words of each review, the fraction of them that the vocabulary lacks, and its negations, (n,) each."""
    is_known = pc.is_in(corpus.dictionary, value_set=pa.array(vocabulary.terms, pa.string()))
    negates = pc.match_substring_regex(corpus.dictionary, NEGATION)
    known, negations = (
        np.diff(offsets_of(to_numpy(mask.cast(pa.int8()))[reviews.words])[reviews.offsets])
        for mask in (is_known, negates)
    )
    lengths = reviews.lengths
    return {"words": lengths, "unknown words": 1 - known / np.maximum(lengths, 1), "negations": negations}


def slices_of(columns: Columns, right: Mask) -> list[Slice]:
    """The accuracy in each group of each column."""
    found = []
    for column, values in columns.items():
        for group, rows in _groups(values):
            n, hits = int(rows.sum()), int(right[rows].sum())
            found.append(Slice(column, group, n, hits, hits / n, proportion_interval(hits, n)))
    return found


def _groups(values: npt.NDArray[Any]) -> Iterator[tuple[str, Mask]]:
    """Texts by value, the most frequent first; numbers by quarters, and 0 apart."""
    if values.dtype.kind == "U":
        names, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        for place in order[:VALUES]:
            yield str(names[place]), numbers == place
        if len(order) > VALUES:
            yield f"{len(order) - VALUES:,} other values", np.isin(numbers, order[VALUES:])
        return
    form, scale = ("{:.1f} %", 100) if values.dtype.kind == "f" else ("{:,}", 1)
    edges = np.unique(np.append(np.quantile(values, [0.25, 0.5, 0.75], method="lower"), 0))
    numbers = np.digitize(values, edges, right=True)
    for number in np.unique(numbers):
        rows = numbers == number
        ends = [form.format(scale * end) for end in (values[rows].min(), values[rows].max())]
        yield " – ".join(dict.fromkeys(ends)), rows


def doubts_of(reviews: EncodedReviews, probabilities: Probabilities) -> dict[str, Mask]:
    """Reviews with the words of another, those of them with its other label, and labels that may be wrong, (n,) each.

    The last are found by confident learning (Northcutt et al., 2021) and are left out without cleanlab.
    """
    _, group, counts = np.unique(reviews.sequences, return_inverse=True, return_counts=True)
    positive = np.bincount(group, reviews.labels)[group]
    found = {"repeated": counts[group] > 1, "contradicted": (positive > 0) & (positive < counts[group])}
    try:
        from cleanlab.filter import find_label_issues  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        return found
    if reviews.labels.min() == reviews.labels.max():
        return found | {LABEL_ERROR: np.zeros(len(reviews), dtype=bool)}
    both = np.stack([1 - probabilities, probabilities], axis=1)
    return found | {LABEL_ERROR: find_label_issues(reviews.labels.astype(np.int64), both, n_jobs=1)}
