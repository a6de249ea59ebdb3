"""TPE and random search on the lecture's 36 networks, measured once (benchmarks/search.json), in docs/search.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.markers import refuse_stale, rewrite, with_part
from benchmarks.page import table
from benchmarks.paths import SEARCH, SEARCH_PAGE, SEARCH_PICTURE
from imdbclf.reports.statistics import SIGNIFICANCE, half_width, paired_p
from imdbclf.storage import atomic_write

SAMPLERS = ("tpe", "random")
SEEDS = range(10)
TRIALS = 18
SHOWN = (1, 3, 6, 10, 12, 15, 18)
"""After so many trials the table says how far the searches are."""

COLOURS = {"tpe": "#2563eb", "random": "#94a3b8"}

Found = dict[str, Any]
"""`grid`: the accuracy of each of the 36; `searches`: by sampler, for each seed the accuracy of each trial; `networks`:
by sampler, for each seed how many different ones were tried; `versions`; `machine`."""


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
