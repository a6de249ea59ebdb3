"""`make profile` measures where the time goes and writes it into docs/performance.md; `make docs` only writes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.failing import failing_in_one_line
from benchmarks.markers import refuse_stale, rewrite, with_part
from benchmarks.page import table
from benchmarks.paths import PERFORMANCE, PERFORMANCE_PAGE, PERFORMANCE_PICTURE, ROOT
from imdbclf.storage import atomic_write, write_json

REPEAT = 5
Profile = dict[str, dict[str, Any]]
"""`phases` (seconds), `step` (microseconds) and `growth` (microseconds a step, by width, depth, columns)."""


def measure(repeat: int = REPEAT) -> Profile:
    """Run each script in processes of its own; medians over the processes."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _run("phases", place / "warm", place / "result.json")  # fills the cache
        phases = [_run("phases", place / f"run{number}", place / "result.json") for number in range(repeat)]
        steps = [_run("steps", place / "result.json") for _ in range(repeat)]
    return {
        "phases": {
            **_medians([found["phases"] for found in phases]),
            "reading the cached reviews (in a thread, meanwhile)": median(found["reading"] for found in phases),
        },
        "step": _medians([found["step"] for found in steps]),
        "growth": {name: _medians([found["growth"][name] for found in steps]) for name in steps[0]["growth"]},
    }


def _run(script: str, *arguments: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", f"benchmarks.ours.{script}", *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads(arguments[-1].read_text(encoding="utf-8"))
    shutil.rmtree(arguments[0], ignore_errors=True)
    return found


def _medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(median(one[name] for one in found), 4) for name in found[0]}


def with_tables(page: str, profile: Profile) -> str:
    """The page with each table between its markers written anew.

    Raises:
        UserError: if a marker is missing.
    """
    phases = [[name, f"{seconds:.2f} s"] for name, seconds in profile["phases"].items()]
    step = [[name, f"{microseconds:.0f} μs"] for name, microseconds in profile["step"].items()]
    growth = [
        [name, ", ".join(f"{int(size):,}: {microseconds:.0f} μs" for size, microseconds in sizes.items())]
        for name, sizes in profile["growth"].items()
    ]
    tables = {
        "phases": table(("phase", "median"), phases),
        "step": table(("part of a step", "median"), step),
        "growth": table(("with", "a training step without cutting and Lightning"), growth),
    }
    for name, written in tables.items():
        page = with_part(page, name, written, PERFORMANCE_PAGE.name)
    return page


def write(profile: Profile) -> None:
    """Write tables and picture."""
    rewrite(PERFORMANCE_PAGE, lambda page: with_tables(page, profile))
    draw(profile, PERFORMANCE_PICTURE)


def check() -> None:
    """See that the page says what was measured.

    Raises:
        UserError: naming the command that mends it.
    """
    profile = read()
    refuse_stale(PERFORMANCE_PAGE, lambda page: with_tables(page, profile), PERFORMANCE)


def read() -> Profile:
    """What was measured last."""
    profile: Profile = json.loads(PERFORMANCE.read_text(encoding="utf-8"))
    return profile


def draw(profile: Profile, path: Path) -> None:
    """Two bars, of the command by phase and of a step by part, and how a step grows (PNG)."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - checking does without

    figure = Figure(figsize=(13, 4), layout="constrained")
    whole, step, growth = figure.subplots(1, 3)
    for axes, parts, unit in ((whole, profile["phases"], "seconds"), (step, profile["step"], "microseconds")):
        names = list(parts)[::-1]
        bars = axes.barh([name.split(":")[0].split(" (")[0] for name in names], [parts[n] for n in names])
        axes.bar_label(bars, fmt="%.2f" if unit == "seconds" else "%.0f", padding=2)
        axes.margins(x=0.15)
        axes.set_xlabel(unit)
    whole.set_title("the command, nothing to encode")
    step.set_title("a training step")
    for name, sizes in profile["growth"].items():
        first = next(iter(sizes))
        growth.plot([int(n) / int(first) for n in sizes], list(sizes.values()), "o-", label=f"{name} (1 = {first})")
    growth.set(xscale="log", yscale="log", xlabel="times as much", ylabel="microseconds", title="a step grows with")
    growth.legend()
    with atomic_write(path) as aside:
        figure.savefig(aside, format="png", dpi=100)


@failing_in_one_line
def main() -> None:
    """Measure and write."""
    profile = measure()
    write_json(PERFORMANCE, profile)
    write(profile)
    print(f"Written: {PERFORMANCE.relative_to(ROOT)}, {PERFORMANCE_PAGE.relative_to(ROOT)}")  # noqa: T201


if __name__ == "__main__":
    main()
