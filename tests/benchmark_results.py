"""Results as a measurement would leave them."""

from __future__ import annotations

from benchmarks.results import Comparison, Results, Scaling, Size
from benchmarks.rows import ROWS

VERSIONS = {"ours": {"python": "3.11.7", "torch": "2.13.0"}, "peers": {"keras": "3.15.1"}}


def comparison(ours: list[float], peer: list[float], date: str = "2026-01-02") -> Comparison:
    return Comparison(date, ours, peer, ["imdbclf train", "python -m benchmarks.peers.keras_lecture"], VERSIONS)


def size(reviews: int, encode: float, epoch: float, private: float) -> Size:
    return Size(reviews, 100, [encode], [reviews * 1e-6], [epoch], [private])


def scaling(*encode_seconds: float) -> Scaling:
    sizes = (25_000, 100_000, 1_000_000)[: len(encode_seconds)]
    found = [size(n, t, 1.0 + n / 25_000, 500.0 + n / 20_000) for n, t in zip(sizes, encode_seconds, strict=True)]
    return Scaling("2026-01-02", found, ["encode N.parquet", "train N.parquet"], VERSIONS)


def all_results() -> Results:
    rows = {name: comparison([1.0, 2.0, 3.0], [20.0, 21.0, 19.0]) for name in ROWS if name != "lecture_fit_gpu"}
    machine: dict[str, str | int] = {"processor": "A processor", "cores": 2, "memory_gb": 8, "system": "Linux 6"}
    return Results(machine, rows, scaling(2.5, 10.0, 100.0))
