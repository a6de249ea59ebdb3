"""`make profile`: where the time of the command and of a training step goes, into benchmarks/performance.json."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.command import MEASURED, ROOT, ending_in_one_line, read_json
from imdbclf.storage import write_json


def measure(repeat: int = 5) -> dict[str, dict[str, Any]]:
    """Run each script in processes of its own; medians over the processes.

    Returns:
        `phases` (seconds), `step` (microseconds), and `growth` (microseconds of a step by width, depth, columns).
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _run("phases", place / "warm", place / "result.json")  # fills the cache
        phases = [_run("phases", place / f"run{number}", place / "result.json") for number in range(repeat)]
        steps = [_run("training steps", place / "result.json") for _ in range(repeat)]
    return {
        "phases": {
            **_medians([found["phases"] for found in phases]),
            "reading the cached reviews (in a thread, meanwhile)": median(found["reading"] for found in phases),
        },
        "step": _medians([found["step"] for found in steps]),
        "growth": {name: _medians([found["growth"][name] for found in steps]) for name in steps[0]["growth"]},
    }


def _run(script: str, *arguments: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", *f"benchmarks.ours.{script}".split(), *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = read_json(arguments[-1])
    shutil.rmtree(arguments[0], ignore_errors=True)
    return found


def _medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(median(one[name] for one in found), 4) for name in found[0]}


@ending_in_one_line
def main() -> None:
    """Measure and write."""
    write_json(MEASURED / "performance.json", measure())


if __name__ == "__main__":
    main()
