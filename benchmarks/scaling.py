"""The row of the growing corpus: time and private memory at each size."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.results import Scaling, Size, Versions
from benchmarks.workplace import Ended, Workplace
from imdbclf.errors import UserError

SIZES = (25_000, 100_000, 400_000, 1_000_000)
STEPS = 2
"""Measured processes a size and repetition."""


def measure_scaling(
    place: Workplace, sizes: Sequence[int], repeat: int, date: str, versions: Versions, step: Callable[[str], None]
) -> Scaling:
    """Measure every size.

    Args:
        place: where.
        sizes: reviews, ascending.
        repeat: how often.
        date: of the measurement.
        versions: of both sides.
        step: called with a title before each measured process.
    """
    found = []
    commands: list[str] = []
    for size in sizes:
        file = place.folder / f"{size}.parquet"
        step(f"{size:,} reviews: writing them")
        place.measure(place.ours("larger_corpus", place.data, file, size))
        pairs = [_encode_and_train(place, file, step) for _ in range(repeat)]
        commands = [ended.command.replace(file.name, "N.parquet") for ended in pairs[0]]
        file.unlink()
        found.append(_size(size, pairs))
    return Scaling(date, found, commands, versions)


def _encode_and_train(place: Workplace, file: Path, step: Callable[[str], None]) -> tuple[Ended, Ended]:
    """Two processes: one fills a cache of its own, the other finds it filled."""
    cache = place.folder / "growing"
    try:
        step(f"{file.stem} reviews: encoding")
        encoded = place.measure(place.ours("encode_corpus", file, "RESULT"), cache=cache)
        step(f"{file.stem} reviews: an epoch")
        trained = place.measure(place.ours("train_epoch", file, "RESULT"), cache=cache, watch_private=True)
    finally:
        shutil.rmtree(cache, ignore_errors=True)
    if not trained.result["from_cache"]:
        msg = "scaling: the cache was not used, so that the epoch's process encoded the reviews itself"
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
    try:
        sizes = sorted({int(part) for part in text.split(",")})
    except ValueError:
        sizes = []
    if not sizes or sizes[0] < 1000:  # noqa: PLR2004 - fewer reviews say nothing about growth
        msg = f"--sizes {text}: must be whole numbers from 1000 on, separated by commas"
        raise UserError(msg)
    return sizes
