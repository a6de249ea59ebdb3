"""What the runs of a rung say, and what a step from one rung to the next buys.

A step is tested twice. Over seeds, by Student's paired t test: would other initial weights and orders say the same?
Over reviews, by McNemar's exact test of the two runs of each seed on the same test reviews: would other reviews? The
p values of the seeds, which share the reviews, are combined as twice their median, which holds whatever their
dependence (Meinshausen, Meier & Bühlmann 2009, "p-Values for High-Dimensional Regression"). Both are adjusted for the
number of steps (Holm).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.ladder_rungs import compared_with
from imdbclf.errors import UserError
from imdbclf.folders.sweep import SEED, SweepFolder
from imdbclf.reports.compare.comparison import read_runs
from imdbclf.reports.statistics import SIGNIFICANCE, holm_where_tested, mcnemar_p, paired_p

Figures = dict[str, Any]

FIGURES = ("test/accuracy", "test/loss", "val/accuracy", "test/calibration_error")
"""Of each seed; those that a run does not have are left out."""


def rung_figures(folder: SweepFolder) -> Figures:
    """The figures of all runs of a rung, by seed.

    Raises:
        UserError: if a run is not done.
    """
    runs = _runs(folder)
    metrics = [json.loads((runs[seed] / "metrics.json").read_text(encoding="utf-8")) for seed in sorted(runs)]
    found: Figures = {name: [each[name] for each in metrics] for name in FIGURES if name in metrics[0]}
    return {"seeds": sorted(runs), "parameters": metrics[0]["parameters"], **found}


def compared(rungs: Mapping[str, Figures], sweeps: Path) -> dict[str, Figures]:
    """What each step brings, by the name of the rung it leads to; where both of its ends were measured."""
    pairs = [(below, above) for above, below in compared_with().items() if {below, above} <= set(rungs)]
    return {above: _step(rungs[below], rungs[above], sweeps / below, sweeps / above) for below, above in pairs}


def _step(below: Figures, above: Figures, below_folder: Path, above_folder: Path) -> Figures:
    first, second = (_runs(SweepFolder(folder)) for folder in (below_folder, above_folder))
    seeds = sorted(set(below["seeds"]) & set(above["seeds"]))
    counts = []
    for seed in seeds:
        one, other = read_runs([first[seed], second[seed]])
        counts.append([int((one.right & ~other.right).sum()), int((other.right & ~one.right).sum())])
    return {"seeds": seeds, "lost_and_won": counts}


def _runs(folder: SweepFolder) -> dict[int, Path]:
    """The run folder of each seed."""
    jobs = folder.read().jobs
    for job in jobs:
        if folder.run(job).outcome != "done":
            msg = f"{folder.path}: the job {job.folder} is {folder.run(job).outcome}; see its failure.json or train.log"
            raise UserError(msg)
    return {int(str(job.choices[SEED])): folder.run(job).path for job in jobs}


def differences(found: Mapping[str, Any], above: str) -> Any:
    """The test accuracy of a rung minus that of the one below, a value a seed, (seeds,)."""
    seeds = found["steps"][above]["seeds"]
    by_seed = [
        dict(zip(found["rungs"][name]["seeds"], found["rungs"][name]["test/accuracy"], strict=True))
        for name in (compared_with()[above], above)
    ]
    return np.array([by_seed[1][seed] - by_seed[0][seed] for seed in seeds])


def p_values(found: Mapping[str, Any]) -> dict[str, tuple[float | None, float | None]]:
    """For each step the p values over seeds and over reviews, each adjusted for the number of steps."""
    names = list(found["steps"])
    seeds = [paired_p(differences(found, name), np.zeros(len(found["steps"][name]["seeds"]))) for name in names]
    reviews = [combined([mcnemar_p(*pair) for pair in found["steps"][name]["lost_and_won"]]) for name in names]
    adjusted = zip(holm_where_tested(seeds), holm_where_tested(reviews), strict=True)
    return dict(zip(names, adjusted, strict=True))


def combined(p: list[float]) -> float | None:
    """One p value of several that may depend on each other: twice their median; None of none."""
    return min(1.0, 2 * median(p)) if p else None


def is_shown(p: tuple[float | None, float | None]) -> bool:
    """Whether both tests show a difference."""
    return all(each is not None and each < SIGNIFICANCE for each in p)
