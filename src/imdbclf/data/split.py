"""The split into training and validation part: it depends on the reviews' words and the seed, not on their order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from imdbclf.data.corpus import EncodedReviews, scramble
from imdbclf.errors import UserError
from imdbclf.settings import DataSettings

Rows = npt.NDArray[np.int64]

LEAST_FRACTION = 0.5
"""With groups, the validation part must have at least this fraction of the requested reviews."""


def split_reviews(train: EncodedReviews, settings: DataSettings, seed: int) -> tuple[Rows, Rows]:
    """Row numbers of the training and of the validation part; identical reviews and groups stay together.

    Raises:
        UserError: if there is nothing to split, or too few reviews fit into the validation part.
    """
    val_count = validation_count(settings.val_size, len(train))
    units = train.sequences if train.groups is None else joined(train.sequences, train.groups)
    if train.groups is not None and val_count > 0 and (units == units[0]).all():
        msg = (
            f"data.group={settings.group}: all {len(train):,} training reviews are in one group; "
            "there must be at least two groups, one of them for validation (or data.val_size=0)"
        )
        raise UserError(msg)
    rows, val_rows = split_rows(units, val_count, seed)
    if val_count > 0 and len(val_rows) == 0:
        kept = "equal reviews" if train.groups is None else f"data.group={settings.group}"
        msg = f"data.val_size={settings.val_size}: must be larger; every group of {kept} has more reviews"
        raise UserError(msg)
    if train.groups is not None and len(val_rows) < LEAST_FRACTION * val_count:
        msg = (
            f"data.val_size={settings.val_size}: only {len(val_rows):,} of {val_count:,} reviews fit, since groups of "
            f"data.group={settings.group} are not divided and the other groups are too large"
        )
        raise UserError(msg)
    return rows, val_rows


def validation_count(val_size: float, n: int) -> int:
    """The number of validation reviews that `data.val_size` (a count, or a fraction below 1) means among n.

    Raises:
        UserError: if nothing would be left to train on.
    """
    count = val_size if isinstance(val_size, int) else round(val_size * n)
    if count >= n:
        msg = f"data.val_size={val_size}: must be below the {n:,} training reviews (a count, or a fraction below 1)"
        raise UserError(msg)
    return count


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
    key = scramble(groups ^ scramble(np.array([seed], dtype=np.uint64)))
    order = np.lexsort((groups, key))
    starts = np.flatnonzero(np.r_[True, groups[order][1:] != groups[order][:-1]]) if len(order) else order
    sizes = np.diff(np.r_[starts, len(order)])
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
