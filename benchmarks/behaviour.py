"""`make behaviour`: the pass rates of the shipped suite, of three recipes, into benchmarks/behaviour.json."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.command import MEASURED, ROOT, ending_in_one_line, reviews_folder
from imdbclf.storage import write_json

EXPERIMENTS = ("lecture_final", "strong", "strong_ensemble")


def trained(experiment: str, folder: Path) -> Path:
    """The run folder of an experiment with seed 0, trained on the real reviews now if it is not there."""
    run = folder / experiment
    if not run.exists():
        _imdbclf("train", f"experiment={experiment}", f"hydra.run.dir={run}")
    return run


def measure(folder: Path) -> dict[str, dict[str, Any]]:
    """For each test of the suite: what it is about, its kind and cases, and the pass rate of each experiment."""
    found: dict[str, dict[str, Any]] = {}
    for experiment in EXPERIMENTS:
        result = json.loads(_imdbclf("check", str(trained(experiment, folder)), "--json"))
        for test in result["tests"]:
            same = {key: test[key] for key in ("about", "kind", "cases")}
            found.setdefault(test["name"], {**same, "rates": {}})["rates"][experiment] = test["rate"]
    return found


def _imdbclf(*arguments: str) -> str:
    command = [sys.executable, "-m", "imdbclf", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


@ending_in_one_line
def main() -> None:
    """Train, check and write; runs in a folder that is given are used, and kept."""
    reviews_folder()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(sys.argv[1] if len(sys.argv) > 1 else folder))
    write_json(MEASURED / "behaviour.json", {"date": f"{datetime.now(tz=UTC):%Y-%m-%d}", "tests": found})


if __name__ == "__main__":
    main()
