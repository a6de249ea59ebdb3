"""TPE beside random search on the lecture's 36 networks: how good the best is after so many trials.

The 36 runs are computed once, by the grid. Runs repeat bit for bit and every search finds them in its folder, so that
20 searches are exact and take minutes: each is the real command, whose every trial has been run before.

`python -m benchmarks.search_comparison [FOLDER]` measures into benchmarks/search.json and docs/search.md; FOLDER is
the grid's (its runs are made if they are not there; IMDBCLF_DATA names the reviews).
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.failing import failing_in_one_line
from benchmarks.machine import machine, our_versions
from benchmarks.markers import refuse_stale, rewrite, with_part
from benchmarks.our_command import train_many
from benchmarks.page import table
from benchmarks.paths import ROOT, SEARCH, SEARCH_PAGE, SEARCH_PICTURE
from benchmarks.workplace import reviews_folder
from imdbclf.errors import UserError
from imdbclf.folders.sweep import SweepFolder
from imdbclf.reports.statistics import SIGNIFICANCE, half_width, paired_p
from imdbclf.storage import atomic_write, write_json

SAMPLERS = ("tpe", "random")
SEEDS = range(10)
TRIALS = 18
SHOWN = (1, 3, 6, 10, 12, 15, 18)
"""After so many trials the table says how far the searches are."""

COLOURS = {"tpe": "#2563eb", "random": "#94a3b8"}

Found = dict[str, Any]
"""`grid`: the accuracy of each of the 36; `searches`: by sampler, for each seed the accuracy of each trial; `networks`:
by sampler, for each seed how many different ones were tried; `versions`; `machine`."""


def measure(grid: Path) -> Found:
    """Make the grid where it is not there, then search in it with each sampler and seed."""
    _command("sweep=lecture", f"hydra.sweep.dir={grid}")
    folder = SweepFolder(grid)
    accuracies = [
        float(json.loads(folder.run(job).metrics.read_text(encoding="utf-8"))["val/accuracy"])
        for job in folder.read().jobs
    ]
    found = {sampler: [_search(grid, sampler, seed) for seed in SEEDS] for sampler in SAMPLERS}
    return {
        "machine": machine(),
        "versions": our_versions() | {"optuna": metadata.version("optuna")},
        "grid": accuracies,
        "searches": {sampler: [values for values, _ in searches] for sampler, searches in found.items()},
        "networks": {sampler: [networks for _, networks in searches] for sampler, searches in found.items()},
    }


def _search(grid: Path, sampler: str, seed: int) -> tuple[list[float], int]:
    """The accuracy of each trial of a search, in their order, and how many different networks it tried."""
    import optuna  # noqa: PLC0415 - checking does without

    from imdbclf.folders.journal import read_journal  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="imdbclf-search-") as name:
        folder = SweepFolder(Path(name))
        folder.runs.symlink_to(grid.absolute() / "runs")
        _command(
            "hydra/sweeper=search",
            "sweep=lecture",
            "hydra.sweeper.monitor=val/accuracy",
            f"hydra.sweeper.sampler={sampler}",
            f"hydra.sweeper.sampler_seed={seed}",
            f"hydra.sweeper.trials={TRIALS}",
            f"hydra.sweep.dir={folder.path}",
        )
        sweep = folder.read()
        study = optuna.load_study(study_name=sweep.search["study"], storage=read_journal(folder.journal))
        values = [trial.value for trial in study.trials]
    if len(values) != TRIALS or None in values:
        msg = f"sampler={sampler}, seed={seed}: not every trial is done"
        raise UserError(msg)
    return [float(value) for value in values if value is not None], len(sweep.jobs)


def _command(*overrides: str) -> None:
    """`imdbclf train -m …` on the reviews that IMDBCLF_DATA names."""
    os.environ["IMDBCLF_DATA"] = str(reviews_folder())
    train_many(*overrides)


def best_so_far(found: Found, sampler: str) -> npt.NDArray[np.float64]:
    """(seeds, trials): the best accuracy by each trial, as a share of reviews."""
    return np.maximum.accumulate(np.array(found["searches"][sampler]), axis=1)


def comparison(found: Found) -> str:
    """The table, and what it says."""
    best = {sampler: best_so_far(found, sampler) for sampler in SAMPLERS}
    rows = []
    for count in SHOWN:
        at = {sampler: best[sampler][:, count - 1] for sampler in SAMPLERS}
        difference = at["tpe"] - at["random"]
        p = paired_p(at["tpe"], at["random"])
        cells = [_figure(at[sampler]) for sampler in SAMPLERS]
        rows.append([f"{count}", *cells, _figure(difference, sign="+"), "–" if p is None else f"{p:.3f}".lstrip("0")])
    header = ("trials", "TPE: best accuracy, %", "random: best accuracy, %", "difference, points", "p (paired t)")
    return f"{table(header, rows)}\n\n{_said(found, best)}"


def _figure(values: npt.NDArray[np.float64], sign: str = "") -> str:
    text = f"{100 * values.mean():{sign}.3f} ± {100 * (half_width(values) or 0):.3f}"
    return text.replace("-", "−")


def _said(found: Found, best: dict[str, npt.NDArray[np.float64]]) -> str:
    top, runner_up = sorted(found["grid"], reverse=True)[:2]
    last = {sampler: values[:, -1] for sampler, values in best.items()}
    p, difference = paired_p(last["tpe"], last["random"]), float((last["tpe"] - last["random"]).mean())
    is_shown = p is not None and p < SIGNIFICANCE
    hits = {sampler: int(np.isclose(values, top).sum()) for sampler, values in last.items()}
    fits = {sampler: float(np.mean(found["networks"][sampler])) for sampler in SAMPLERS}
    verdict = (
        f"TPE is {'better' if difference > 0 else 'worse'} than random search here"
        if is_shown
        else "these repeats do not show that TPE beats random search here"
    )
    tested = "" if p is None else f", p = {p:.3f}"
    spread = 100 * (top - min(found["grid"]))
    return (
        f"After {TRIALS} trials {verdict}: {100 * difference:+.3f} points{tested}. The best of the 36 networks "
        f"({100 * top:.2f} %; the next has {100 * runner_up:.2f} %) was found by {hits['tpe']} of {len(SEEDS)} "
        f"searches with TPE and by {hits['random']} with random search. A search of {TRIALS} trials tries "
        f"{fits['tpe']:.1f} different networks with TPE and {fits['random']:.1f} with random search, on average; the "
        f"rest are repeats, which cost nothing. All 36 lie within {spread:.2f} points of each other, and with one "
        "seed: which of them is best is no question for a search but for the grid over several seeds."
    ).replace("-", "−")


def with_comparison(page: str, found: Found) -> str:
    """The page with what stands between its markers written anew.

    Raises:
        UserError: if a marker is missing.
    """
    return with_part(page, "comparison", comparison(found), SEARCH_PAGE.name)


def write(found: Found) -> None:
    """Write table and picture."""
    rewrite(SEARCH_PAGE, lambda page: with_comparison(page, found))
    draw(found, SEARCH_PICTURE)


def check() -> None:
    """See that the page says what was measured.

    Raises:
        UserError: naming the command that mends it.
    """
    found = read()
    refuse_stale(SEARCH_PAGE, lambda page: with_comparison(page, found), SEARCH)


def read() -> Found:
    """What was measured last."""
    found: Found = json.loads(SEARCH.read_text(encoding="utf-8"))
    return found


def draw(found: Found, path: Path) -> None:
    """The mean of the best so far by trial with its 95 % interval, a line a sampler (PNG)."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - checking does without

    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    trials = np.arange(1, TRIALS + 1)
    for sampler in SAMPLERS:
        best = 100 * best_so_far(found, sampler)
        mean, half = best.mean(axis=0), np.array([half_width(column) or 0 for column in best.T])
        axes.plot(trials, mean, "o-", markersize=3, color=COLOURS[sampler], label=f"{sampler}, {len(SEEDS)} searches")
        axes.fill_between(trials, mean - half, mean + half, color=COLOURS[sampler], alpha=0.2, linewidth=0)
    axes.axhline(100 * max(found["grid"]), color="black", linewidth=0.8, linestyle="--", label="best of the grid")
    axes.set(xlabel="trials", ylabel="best validation accuracy so far, %", xticks=trials[::2])
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="lower right")
    with atomic_write(path) as aside:
        figure.savefig(aside, format="png", dpi=100)


@failing_in_one_line
def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search_comparison", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "outputs" / "sweep_lecture", help="the grid's")
    found = measure(parser.parse_args().folder)
    write_json(SEARCH, found)
    write(found)
    print(f"Written: {SEARCH.relative_to(ROOT)}, {SEARCH_PAGE.relative_to(ROOT)}")  # noqa: T201


if __name__ == "__main__":
    main()
