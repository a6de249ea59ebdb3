"""Validation beside test accuracy, of a random split and of one that keeps films together.

`python -m benchmarks.validation ACLIMDB_FOLDER` runs the lecture's network over five seeds with each split, through
the real command line, into benchmarks/validation.json. The folder is the unpacked original archive: only it says which
film a review is about.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import MEASURED, ending_in_one_line, read_json, run_sweep, say
from benchmarks.machine import machine, our_versions
from imdbclf.errors import UserError
from imdbclf.folders.sweep import SweepFolder
from imdbclf.storage import write_json

SEEDS = range(5)
SPLITS = ("null", "film")
"""The compared values of `data.group`."""

PARTS = ("val", "test")


def measure(folder: Path) -> dict[str, Any]:
    """Run the sweep of both splits and seeds, and count the films that each split divides.

    Returns:
        `accuracy` by split and part, for each seed a fraction; `seen` by split, for each seed the fraction of
        validation reviews whose film also has training reviews; `films`, their number; `machine` and `versions`.

    Raises:
        UserError: if the sweep fails.
    """
    with tempfile.TemporaryDirectory(prefix="imdbclf-validation-") as name:
        sweep = SweepFolder(Path(name) / "sweep")
        status = run_sweep(
            "experiment=lecture",
            f'data.source="{folder.resolve()}"',
            f"data.group={','.join(SPLITS)}",
            f"seed=range({SEEDS.start},{SEEDS.stop})",
            f"hydra.sweep.dir={sweep.path}",
        )
        if status:
            msg = f"the sweep ended with status {status}"
            raise UserError(msg)
        accuracy = _accuracies(sweep)
    return {"machine": machine(), "versions": our_versions(), "accuracy": accuracy, **_films(folder)}


def _accuracies(sweep: SweepFolder) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = {split: {part: [] for part in PARTS} for split in SPLITS}
    metrics = [read_json(sweep.run(job).metrics) for job in sweep.read().jobs]
    for each in sorted(metrics, key=lambda each: int(each["seed"])):
        for part in PARTS:
            found[each["group"] or "null"][part].append(each[f"{part}/accuracy"])
    return found


def _films(folder: Path) -> dict[str, Any]:
    """The number of films, and the fraction of validation reviews about films of the training part."""
    # The command refuses its arguments before these imports, which take a second.
    from imdbclf.data.load_corpus import load_corpus  # noqa: PLC0415
    from imdbclf.data.split import joined, split_rows  # noqa: PLC0415
    from imdbclf.settings import DataSettings  # noqa: PLC0415

    settings = DataSettings(source=str(folder), group="film")
    train = load_corpus(settings).corpus.parts["train"]
    films = np.asarray(train.groups)
    seen = {}
    for split, units in {"null": train.sequences, "film": joined(train.sequences, films)}.items():
        parts = [split_rows(units, int(settings.val_size), seed) for seed in SEEDS]
        seen[split] = [float(np.isin(films[val], films[rows]).mean()) for rows, val in parts]
    return {"films": len(np.unique(films)), "seen": seen}


@ending_in_one_line
def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validation", description=__doc__)
    parser.add_argument("folder", type=Path, help="the unpacked aclImdb archive")
    write_json(MEASURED / "validation.json", measure(parser.parse_args().folder))
    say("Written: benchmarks/validation.json; run: make docs")


if __name__ == "__main__":
    main()
