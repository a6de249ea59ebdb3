"""The figures of `docs/scaling.md`: what was measured a job and a review, and what follows for many of either.

The page's text is written by hand; what stands between its markers is computed from `results.json` and `costs.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.judging import straight_line
from benchmarks.markers import refuse_stale, rewrite, with_part
from benchmarks.page import table
from benchmarks.paths import COSTS, RESULTS, SCALING_PAGE
from benchmarks.results import Results, Scaling, Size
from imdbclf.errors import UserError

JOBS = 10_000
AT_A_TIME = 256
"""Jobs that a cluster runs side by side (`array_parallelism` of hydra/launcher=slurm)."""
REVIEWS = 1_000_000_000
EPOCHS = 20
SHARDS = 64
SWEEP_JOBS = 36

UNMEASURED = "unmeasured"


@dataclass(frozen=True)
class Costs:
    """What a job and a review cost, measured once: medians; seconds, bytes and files a job, memory a process.

    `run_bytes` is by network, `private_mb` by the setting `shared_batches`.
    """

    date: str
    machine: dict[str, str | int]
    versions: dict[str, str]
    cache_bytes_a_review: float
    run_files: int
    run_bytes: dict[str, int]
    plan_seconds: float
    look_seconds: float
    report_seconds: float
    private_mb: dict[str, float]


def read_costs(path: Path = COSTS) -> Costs | None:
    """What was measured last; None if nothing was.

    Raises:
        UserError: if the file is not one of ours.
    """
    if not path.is_file():
        return None
    try:
        contents: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Costs(**contents)
    except (ValueError, TypeError) as error:
        msg = f"{path.name}: is no file of costs ({error})"
        raise UserError(msg) from error


def write(results: Results | None, costs: Costs | None, path: Path = SCALING_PAGE) -> None:
    """Write the figures into the page."""
    rewrite(path, lambda page: with_figures(page, results, costs))


def check(results: Results | None, costs: Costs | None, path: Path = SCALING_PAGE) -> None:
    """See that the page says what was measured.

    Raises:
        UserError: naming the command that mends it.
    """
    refuse_stale(path, lambda page: with_figures(page, results, costs), RESULTS, COSTS)


def with_figures(page: str, results: Results | None, costs: Costs | None) -> str:
    """The page with what stands between its markers written anew.

    Raises:
        UserError: if a marker is missing.
    """
    scaling = results.scaling if results else None
    figures = {
        "measured": table(("what", "measured", "from"), _measured(results, scaling, costs)),
        "jobs": table((f"{JOBS:,} jobs", "arithmetic", "that is"), _jobs(results, costs)),
        "reviews": table((f"{REVIEWS:,} reviews", "arithmetic", "that is"), _reviews(scaling, costs)),
    }
    for name, written in figures.items():
        page = with_part(page, name, written, SCALING_PAGE.name)
    return page


Line = tuple[str, str, str]


def job_seconds(results: Results | None, row: str) -> float | None:
    """Wall-clock seconds for each of the 36 jobs of the lecture's sweep."""
    return median(results.rows[row].ours) / SWEEP_JOBS if results and row in results.rows else None


def command_seconds(results: Results | None) -> float | None:
    """Seconds of a job that is a process of its own, imports included."""
    return median(results.rows["command_cached"].ours) if results and "command_cached" in results.rows else None


def _measured(results: Results | None, scaling: Scaling | None, costs: Costs | None) -> list[Line]:
    bench = "[benchmarks.md](benchmarks.md)"
    one, two = (job_seconds(results, row) for row in ("sweep_one_process", "sweep_two_processes"))
    own = command_seconds(results)
    lines = [
        ("a job among others in one process", _said(one, "{:.2f} s"), f"{bench}, sweep_one_process / {SWEEP_JOBS}"),
        (
            "the same, two processes on two cores",
            _said(two, "{:.2f} s"),
            f"{bench}, sweep_two_processes / {SWEEP_JOBS}",
        ),
        ("a job in a process of its own", _said(own, "{:.2f} s"), f"{bench}, command_cached"),
    ]
    if scaling:
        encode, prepare, epoch = slopes(scaling)
        growing = f"{bench}, a growing corpus"
        lines += [
            ("encoding a further review", short(encode), growing),
            ("preparing a further review: split, vocabulary, multi-hot row", short(prepare), growing),
            ("a further review in an epoch", short(epoch), growing),
            ("private memory in training, a further review", f"{memory_slope(scaling):.0f} bytes", growing),
        ]
    return lines + (_costs(costs) if costs else [])


def _costs(costs: Costs) -> list[Line]:
    folders = {f"the folder of a run of {name}": f"{size / 1e6:.1f} MB" for name, size in costs.run_bytes.items()}
    memory = {
        f"private memory of a process, `shared_batches={limit}`": f"{megabytes:,.0f} MB"
        for limit, megabytes in costs.private_mb.items()
    }
    measured = {
        "an encoded review in the cache": f"{costs.cache_bytes_a_review:.0f} bytes",
        **folders,
        "planning a job: compose, check, name": short(costs.plan_seconds),
        "one look at a job that is not done": short(costs.look_seconds),
        "a job in the report": short(costs.report_seconds),
        **memory,
    }
    return [(what, figure, f"measured once, {costs.date}") for what, figure in measured.items()]


def _jobs(results: Results | None, costs: Costs | None) -> list[Line]:
    one, two = (job_seconds(results, row) for row in ("sweep_one_process", "sweep_two_processes"))
    own = command_seconds(results)
    lines = [
        _product("running them in one process", JOBS, one),
        _product("in two processes on two cores", JOBS, two),
        _product(f"on a cluster, {AT_A_TIME} at a time, each a process of its own", JOBS, own, AT_A_TIME),
    ]
    if costs:
        smallest, largest = min(costs.run_bytes.values()), max(costs.run_bytes.values())
        between = f"{JOBS * smallest / 1e9:,.0f} to {JOBS * largest / 1e9:,.0f} GB, {JOBS * costs.run_files:,} files"
        megabytes = f"{JOBS:,} × {smallest / 1e6:.1f} to {largest / 1e6:.1f} MB"
        lines += [
            _product("planning, before the first one starts", JOBS, costs.plan_seconds),
            _product("one look at all of them, beside a pause of ten times as long", JOBS, costs.look_seconds),
            _product("the report", JOBS, costs.report_seconds),
            ("their folders", megabytes, between),
        ]
    return lines


def _reviews(scaling: Scaling | None, costs: Costs | None) -> list[Line]:
    lines: list[Line] = []
    if scaling:
        encode, prepare, epoch = slopes(scaling)
        held = memory_slope(scaling)
        lines += [
            _product("encoding, one process", REVIEWS, encode),
            _product(f"encoding, {SHARDS} processes (not built)", REVIEWS, encode, SHARDS),
            _product("preparing, one process", REVIEWS, prepare),
            _product(f"{EPOCHS} epochs, one process", EPOCHS * REVIEWS, epoch),
            (
                "private memory of a training process",
                f"{REVIEWS:,} × {held:.0f} bytes",
                f"{REVIEWS * held / 1e9:,.0f} GB",
            ),
        ]
    if costs:
        each = costs.cache_bytes_a_review
        lines.append(("the cache", f"{REVIEWS:,} × {each:.0f} bytes", f"{REVIEWS * each / 1e12:.2f} TB"))
    return lines


def slopes(scaling: Scaling) -> tuple[float, float, float]:
    """Seconds for each further review in encoding, in preparing and in an epoch."""
    sizes = [size.reviews for size in scaling.sizes]

    def slope(seconds: Callable[[Size], list[float]]) -> float:
        return straight_line(sizes, [median(seconds(size)) for size in scaling.sizes]).slope

    return (
        slope(lambda size: size.encode_seconds),
        slope(lambda size: size.prepare_seconds),
        slope(lambda size: size.epoch_seconds),
    )


def memory_slope(scaling: Scaling) -> float:
    """Bytes of private memory for each further review, between the smallest and the largest size."""
    first, last = scaling.sizes[0], scaling.sizes[-1]
    more = median(last.private_mb) - median(first.private_mb)
    return max(more, 0.0) * 1e6 / (last.reviews - first.reviews) if last.reviews > first.reviews else 0.0


def _product(what: str, count: int, seconds: float | None, side_by_side: int = 1) -> Line:
    """Count times seconds, divided among those side by side."""
    if seconds is None:
        return what, "–", UNMEASURED
    divided = "" if side_by_side == 1 else f" / {side_by_side}"
    return what, f"{count:,} × {short(seconds)}{divided}", duration(count * seconds / side_by_side)


def _said(seconds: float | None, template: str) -> str:
    return UNMEASURED if seconds is None else template.format(seconds)


_UNITS: Sequence[tuple[float, str]] = ((1, "s"), (1e-3, "ms"), (1e-6, "μs"))


def short(seconds: float) -> str:
    """A small time in the unit that suits it, to three digits."""
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    return f"{seconds / size:.3g} {unit}"


def duration(seconds: float) -> str:
    """A long time as people say it: `12 s`, `17 min`, `6.9 h`, `3.1 days`."""
    for size, unit, digits in ((172_800, "days", 1), (5_400, "h", 1), (120, "min", 0)):
        if seconds >= size:
            divisor = {"days": 86_400, "h": 3_600, "min": 60}[unit]
            return f"{seconds / divisor:,.{digits}f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - two digits
