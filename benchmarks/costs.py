"""`make costs`: what a job and a review cost besides the fit, into `benchmarks/costs.json` and docs/scaling.md."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.failing import failing_in_one_line
from benchmarks.machine import machine, our_versions
from benchmarks.paths import COSTS, RESULTS
from benchmarks.processes import require_linux
from benchmarks.results import read_results
from benchmarks.reviews import read_part
from benchmarks.scaling_page import Costs, write
from benchmarks.workplace import Extent, Workplace, reviews_folder
from imdbclf.storage import write_json

NETWORKS = {"16-16": (16, 2), "64-64-64": (64, 3)}
"""The lecture's network and the largest of its sweep: units, layers."""


@dataclass(frozen=True)
class Counts:
    """How often, and for how many jobs."""

    repeat: int = 3
    planned: int = 200
    reported: int = 2_000


def measure(place: Workplace, counts: Counts) -> Costs:
    """Measure all of it."""
    here, versions, data = machine(), our_versions(), place.data
    run = place.checkpoint.parents[1]
    reviews = sum(len(read_part(data, part)) for part in ("train", "test"))
    command = place.ours("sweep_costs", run, "RESULT", counts.planned, counts.reported)
    seen = [place.measure(command).result for _ in range(counts.repeat)]
    folders = {name: _run_folder(place, *size) for name, size in NETWORKS.items()}
    return Costs(
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        machine=here,
        versions=versions,
        cache_bytes_a_review=round(_bytes(place.cache) / reviews, 1),
        run_files=max(files for files, _ in folders.values()),
        run_bytes={name: size for name, (_, size) in folders.items()},
        plan_seconds=_median(seen, "plan_seconds"),
        look_seconds=_median(seen, "look_seconds"),
        report_seconds=_median(seen, "report_seconds"),
        private_mb={str(limit): _private_mb(place, limit, counts.repeat) for limit in (1000, 0)},
    )


def _median(seen: list[dict[str, Any]], name: str) -> float:
    return float(f"{median(each[name] for each in seen):.3g}")


def _run_folder(place: Workplace, hidden: int, layers: int) -> tuple[int, int]:
    """Files and bytes of a job's folder."""
    command = [
        place.program,
        "train",
        "-m",
        f"model.hidden={hidden}",
        f"model.layers={layers}",
        "hydra.sweep.dir=sweep",
    ]
    if place.extent.epochs != Extent.epochs:
        command.append(f"trainer.max_epochs={place.extent.epochs}")
    counted = place.measure(command, figures=lambda folder: _counted(folder / "sweep" / "runs")).result
    return counted["files"], counted["bytes"]


def _counted(folder: Path) -> dict[str, Any]:
    return {"files": sum(file.is_file() for file in folder.rglob("*")), "bytes": _bytes(folder)}


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _private_mb(place: Workplace, limit: int, repeat: int) -> float:
    """The largest private memory of a process that runs two jobs of a sweep."""
    jobs = ["model.activation=relu,tanh", f"shared_batches={limit}", "hydra.sweep.dir=sweep"]
    if place.extent.epochs != Extent.epochs:
        jobs.append(f"trainer.max_epochs={place.extent.epochs}")
    found = [place.measure([place.program, "train", "-m", *jobs], watch_private=True) for _ in range(repeat)]
    return round(median(each.finished.private_mb for each in found))


@failing_in_one_line
def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.costs", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs, once each; writes nothing")
    quick = parser.parse_args().quick
    require_linux()
    extent = replace(Extent(), epochs=2) if quick else Extent()
    counts = Counts(repeat=1, planned=20, reported=100) if quick else Counts()
    data = reviews_folder()
    with tempfile.TemporaryDirectory(prefix="imdbclf-bench-") as folder:
        # No peer has a part in it.
        place = Workplace(Path(folder).resolve(), data, Path(sys.executable), extent)
        costs = measure(place, counts)
    if quick:
        sys.stdout.write(json.dumps(asdict(costs), indent=2) + "\n")
        return
    write_json(COSTS, asdict(costs))
    write(read_results(RESULTS), costs)
    sys.stderr.write("Written: benchmarks/costs.json, docs/scaling.md\n")


if __name__ == "__main__":
    main()
