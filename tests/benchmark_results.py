"""Results as a measurement would leave them."""

from __future__ import annotations

from benchmarks.rows import ROWS, Comparison, Results
from benchmarks.scaling import Scaling, Size

VERSIONS = {"ours": {"python": "3.11.7", "torch": "2.13.0"}, "peers": {"keras": "3.15.1"}}


def comparison(ours: list[float], peer: list[float], date: str = "2026-01-02") -> Comparison:
    return Comparison(date=date, ours=ours, peer=peer, commands=["imdbclf train", "keras"], versions=VERSIONS)


def scaling(*encode_seconds: float) -> Scaling:
    sizes = [
        Size(
            reviews=reviews,
            words=100,
            encode_seconds=[encode],
            prepare_seconds=[reviews * 1e-6],
            epoch_seconds=[1.0 + reviews / 25_000],
            private_mb=[500.0 + reviews / 20_000],
        )
        for reviews, encode in zip((25_000, 100_000, 1_000_000), encode_seconds, strict=False)
    ]
    return Scaling(date="2026-01-02", sizes=sizes, commands=["encode N.parquet"], versions=VERSIONS)


def all_results() -> Results:
    machine: dict[str, str | int] = {"processor": "A processor", "cores": 2, "memory_gb": 8, "system": "Linux 6"}
    rows = {name: comparison([1.0, 2.0, 3.0], [20.0, 21.0, 19.0]) for name in ROWS if name != "lecture_fit_gpu"}
    return Results(machine=machine, rows=rows, scaling=scaling(2.5, 10.0, 100.0))
