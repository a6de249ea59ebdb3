"""The growing corpus: time and private memory at each size, and the straight line through the times."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np
from numpy.polynomial import Polynomial

from benchmarks.command import Fixed
from benchmarks.workplace import Ended, Workplace
from imdbclf.errors import UserError

SIZES = (25_000, 100_000, 400_000, 1_000_000)
LINE_SIZES = 3
"""Sizes that a line needs before it says anything: two points are always on one."""

LINE_BOUND = 0.15
"""How far the largest size's time may be off the line."""

MEMORY_BOUND = 1.2
"""Peak private memory of the largest size divided by that of the smallest, at most."""

Versions = dict[str, dict[str, str]]
"""`ours` and `peers`, each from name to version."""

Quantity = Literal["encode_seconds", "prepare_seconds", "epoch_seconds", "private_mb"]


class Size(Fixed):
    """What was measured at one size of the corpus; `words` is the number of different words in it."""

    reviews: int
    words: int
    encode_seconds: list[float]
    prepare_seconds: list[float]
    epoch_seconds: list[float]
    private_mb: list[float]

    def median(self, *quantities: Quantity) -> float:
        """The sum of the medians of quantities."""
        return sum(float(median(getattr(self, quantity))) for quantity in quantities)


class Scaling(Fixed):
    """The growing corpus as it was measured, smallest size first."""

    date: str
    sizes: list[Size]
    commands: list[str]
    versions: Versions

    def line(self, *quantities: Quantity) -> Polynomial:
        """The line through the medians of a time, or of a sum of times."""
        return straight_line([size.reviews for size in self.sizes], [size.median(*quantities) for size in self.sizes])

    def deviations(self, *quantities: Quantity) -> list[float]:
        """How far each size is off that line, as a fraction of the line's value."""
        line = self.line(*quantities)
        return [size.median(*quantities) / line(size.reviews) - 1 for size in self.sizes]

    def conclusion(self, *quantities: Quantity) -> str:
        """Whether the largest size's time is near the line."""
        if len(self.sizes) < LINE_SIZES:
            return f"needs {LINE_SIZES} sizes"
        return "requirement met" if abs(self.deviations(*quantities)[-1]) <= LINE_BOUND else "MISSED"

    @property
    def memory_ratio(self) -> float:
        """Peak private memory of the largest size divided by that of the smallest."""
        return self.sizes[-1].median("private_mb") / self.sizes[0].median("private_mb")

    @property
    def memory_slope(self) -> float:
        """Bytes of private memory for each further review, between the smallest and the largest size."""
        first, last = self.sizes[0], self.sizes[-1]
        more = last.median("private_mb") - first.median("private_mb")
        return max(more, 0.0) * 1e6 / max(last.reviews - first.reviews, 1)


def straight_line(ns: Sequence[float], ts: Sequence[float]) -> Polynomial:
    """The line with the least sum of squared *relative* deviations, Σ ((t - fixed - slope n) / t)².

    Plain least squares would follow the largest size almost exactly, whatever the others are. With one size the time is
    taken as proportional.
    """
    if len(ns) == 1:
        return Polynomial([0.0, ts[0] / ns[0]])
    return Polynomial.fit(ns, ts, deg=1, w=1 / np.array(ts)).convert()


def measure_scaling(
    place: Workplace, sizes: Sequence[int], repeat: int, date: str, versions: Versions, step: Callable[[str], None]
) -> Scaling:
    """Measure every size, ascending, `repeat` times; `step` is called with a title before each measured process."""
    found = []
    commands: list[str] = []
    for size in sizes:
        file = place.folder / f"{size}.parquet"
        step(f"{size:,} reviews: writing them")
        place.measure(place.ours("corpora larger", place.data, file, size))
        pairs = [_encode_and_train(place, file, step) for _ in range(repeat)]
        commands = [ended.command.replace(file.name, "N.parquet") for ended in pairs[0]]
        file.unlink()
        found.append(_size(size, pairs))
    return Scaling(date=date, sizes=found, commands=commands, versions=versions)


def _encode_and_train(place: Workplace, file: Path, step: Callable[[str], None]) -> tuple[Ended, Ended]:
    """Two processes: one fills a cache of its own, the other finds it filled."""
    cache = place.folder / "growing"
    try:
        step(f"{file.stem} reviews: encoding")
        encoded = place.measure(place.ours("corpora cached", file, "RESULT"), cache=cache)
        step(f"{file.stem} reviews: an epoch")
        trained = place.measure(place.ours("training epoch", file, "RESULT"), cache=cache, watch_private=True)
    finally:
        shutil.rmtree(cache, ignore_errors=True)
    if not trained.result["from_cache"]:
        msg = "scaling: the cache was not used, so the process of the epoch encoded the reviews itself"
        raise UserError(msg)
    return encoded, trained


def _size(size: int, pairs: list[tuple[Ended, Ended]]) -> Size:
    return Size(
        reviews=size,
        words=pairs[0][0].result["dictionary"],
        encode_seconds=[encoded.result["encode_seconds"] for encoded, _ in pairs],
        prepare_seconds=[trained.result["prepare_seconds"] for _, trained in pairs],
        epoch_seconds=[trained.result["epoch_seconds"] for _, trained in pairs],
        private_mb=[trained.finished.private_mb for _, trained in pairs],
    )


def parsed_sizes(text: str) -> list[int]:
    """Sizes from `25000,100000`, ascending.

    Raises:
        UserError: if a part is no whole number of at least 1,000.
    """
    sizes = sorted({int(part) if part.isdecimal() else 0 for part in text.split(",")})
    if sizes[0] < 1000:  # noqa: PLR2004 - fewer reviews say nothing about growth
        msg = f"--sizes {text}: must be whole numbers of at least 1000, separated by commas"
        raise UserError(msg)
    return sizes
