"""The split into training and validation part: it depends on the reviews' words and the seed, not on their order."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from imdbclf.data.corpus import EncodedReviews, scramble
from imdbclf.errors import UserError
from imdbclf.settings import DataSettings

Rows = npt.NDArray[np.int64]

LEAST_FRACTION = 0.5
"""With groups, the validation part must have at least this fraction of the requested reviews."""

UNBALANCED = 0.6
"""With a larger fraction of reviews in one class, the parts of a split have the same fraction."""

FITTING = 0.2
"""The fraction of validation reviews where a default count does not fit."""

_TEST_SEED = 0
"""Seed of the split into training and test part: runs with different seeds have the same test part."""


def split_reviews(train: EncodedReviews, settings: DataSettings, seed: int) -> tuple[Rows, Rows]:
    """Row numbers of the training and of the validation part; identical reviews and groups stay together.

    Raises:
        UserError: if there is nothing to split, or too few reviews fit into the validation part.
    """
    if settings.folds is None or settings.fold is None:
        return _split(train, fitting_size(settings, len(train)), "val_size", seed)
    fold = partial(_fold_rows, folds=settings.folds, fold=settings.fold, seed=seed)
    units = _units(train)
    rows, val_rows = _merged([(each, *fold(units[each])) for each in _strata(train, units)])
    if not len(rows) or not len(val_rows):
        msg = f"data.folds={settings.folds}: too many; fold {settings.fold} or the rest of the reviews is empty"
        raise UserError(msg)
    return rows, val_rows


def split_test(train: EncodedReviews, settings: DataSettings) -> tuple[Rows, Rows]:
    """As `split_reviews`, but the test part that `data.test_size` asks for; it is the same for every seed."""
    return _split(train, settings.test_size, "test_size", _TEST_SEED)


def fitting_size(settings: DataSettings, n: int) -> float:
    """`data.val_size`, or a fraction if this count was not typed and is more than half of n training reviews."""
    too_large = isinstance(settings.val_size, int) and 2 * settings.val_size > n
    return FITTING if settings.adapt_val_size and too_large else settings.val_size


def _split(train: EncodedReviews, size: float, key: str, seed: int) -> tuple[Rows, Rows]:
    count = part_count(size, len(train), key)
    units = _units(train)
    strata = _strata(train, units)
    counts = [round(count * len(each) / max(1, len(train))) for each in strata[1:]]
    pairs = zip(strata, [count - sum(counts), *counts], strict=True)
    rows, split_off = _merged([(each, *split_rows(units[each], its_count, seed)) for each, its_count in pairs])
    kept, least = ("equal reviews", 1.0) if train.groups is None else ("data.group", LEAST_FRACTION * count)
    if count > 0 and len(split_off) < least:
        msg = (
            f"data.{key}={size}: only {len(split_off):,} of {count:,} reviews fit, since groups of {kept} are not "
            "divided and the other groups are too large; give another size, or smaller groups"
        )
        raise UserError(msg)
    return rows, split_off


def part_count(size: float, n: int, key: str = "val_size") -> int:
    """The number of reviews that a size (a count, or a fraction below 1) means among n.

    Raises:
        UserError: if nothing would be left to train on, or a fraction is that of no review.
    """
    count = size if isinstance(size, int) else round(size * n)
    if count == 0 and size > 0:
        raise UserError(f"data.{key}={size}: is none of {n:,} reviews; give a larger one, or 0")
    if count >= n:
        fits = f"; data.{key}={FITTING} fits" if round(FITTING * n) < n and size != FITTING else ""
        msg = f"data.{key}={size}: must be below the {n:,} training reviews (a count, or a fraction below 1){fits}"
        raise UserError(msg)
    return count


def _units(train: EncodedReviews) -> npt.NDArray[np.uint64]:
    return train.sequences if train.groups is None else joined(train.sequences, train.groups)


def _strata(train: EncodedReviews, units: npt.NDArray[np.uint64]) -> list[Rows]:
    """The rows that are split by themselves: all, or each class if they are unbalanced; groups have both classes."""
    positive = float(train.labels.mean()) if len(train) else 0.5
    if train.groups is not None or not UNBALANCED < max(positive, 1 - positive) < 1:
        return [np.arange(len(train), dtype=np.int64)]
    _, first, unit = np.unique(units, return_index=True, return_inverse=True)
    # Equal reviews with different labels stay together.
    classes = train.labels[first][unit]
    return [np.flatnonzero(classes == label) for label in (0, 1)]


def _merged(pieces: list[tuple[Rows, Rows, Rows]]) -> tuple[Rows, Rows]:
    """Both sides of the split of all rows, from the splits of some rows each."""
    rows = np.concatenate([stratum[left] for stratum, left, _ in pieces])
    split_off = np.concatenate([stratum[taken] for stratum, _, taken in pieces])
    return np.sort(rows), np.sort(split_off)


def joined(sequences: npt.NDArray[np.uint64], groups: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Groups of reviews that the split must keep together, (n,): the same number for connected reviews.

    Reviews with the same hash of their words, or of their group, are connected, and connections are transitive. The
    number is the smallest hash of words among connected reviews. It does not depend on the order of the reviews.
    """
    # Slow to import, and needed for groups only.
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    texts, text = np.unique(sequences, return_inverse=True)
    names, name = np.unique(groups, return_inverse=True)
    # A graph with texts and groups as nodes; each review is an edge between its text and its group.
    nodes = len(texts) + len(names)
    reviews = coo_array((np.ones(len(text)), (text, len(texts) + name)), shape=(nodes, nodes))
    component = connected_components(reviews, directed=False)[1][: len(texts)]
    # The texts are sorted, so the first of a component is its smallest.
    first, number = np.unique(component, return_index=True, return_inverse=True)[1:]
    smallest: npt.NDArray[np.uint64] = texts[first][number][text]
    return smallest


def split_rows(groups: npt.NDArray[np.uint64], val_count: int, seed: int) -> tuple[Rows, Rows]:
    """Row numbers of the training and of the validation part, each ascending.

    The seed decides an order of the groups (see `joined`). In this order they go into the validation part until it has
    `val_count` reviews. A group that does not fit is skipped, so groups are never divided.
    """
    order, starts, sizes = _in_order(groups, seed)
    in_validation = np.zeros(len(groups), dtype=bool)
    fitting = int(np.searchsorted(np.cumsum(sizes), val_count, side="right"))
    in_validation[order[: int(sizes[:fitting].sum())]] = True
    missing = val_count - int(in_validation.sum())
    for start, size in zip(starts[fitting:], sizes[fitting:], strict=True):
        if missing == 0:
            break
        if size <= missing:
            in_validation[order[start : start + size]] = True
            missing -= int(size)
    return np.flatnonzero(~in_validation), np.flatnonzero(in_validation)


def _fold_rows(groups: npt.NDArray[np.uint64], folds: int, fold: int, seed: int) -> tuple[Rows, Rows]:
    """Row numbers of the other folds and of one fold, each ascending; groups are never divided."""
    order, starts, sizes = _in_order(groups, seed)
    in_fold = np.zeros(len(groups), dtype=bool)
    in_fold[order] = np.repeat(starts * folds // max(1, len(groups)) == fold, sizes)
    return np.flatnonzero(~in_fold), np.flatnonzero(in_fold)


def _in_order(groups: npt.NDArray[np.uint64], seed: int) -> tuple[Rows, Rows, Rows]:
    """The rows in the order of their groups that the seed decides, and the start and the size of each group in it."""
    key = scramble(groups ^ scramble(np.array([seed], dtype=np.uint64)))
    order = np.lexsort((groups, key))
    starts = np.flatnonzero(np.r_[True, groups[order][1:] != groups[order][:-1]]) if len(order) else order
    return order, starts, np.diff(np.r_[starts, len(order)])
