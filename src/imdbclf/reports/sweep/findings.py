"""What the rows of a sweep say, computed before anything is shown: from `sweep.csv` alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imdbclf.reports.sweep.configurations import (
    ACCURACY,
    Comparison,
    Configuration,
    compare_with_best,
    configurations_of,
    selected,
)
from imdbclf.reports.sweep.effects import Effect, main_effects
from imdbclf.reports.sweep.table import JobRow
from imdbclf.reports.sweep.verdict import verdict


@dataclass(frozen=True)
class Findings:
    """What the rows of a sweep say: the jobs, best configuration first, and what was tested."""

    rows: Sequence[JobRow]
    configurations: Sequence[Configuration]
    best: Configuration | None
    comparisons: Sequence[Comparison]
    effects: Sequence[Effect]
    verdict: Sequence[str]


def findings_of(rows: Sequence[JobRow], axes: Sequence[str], sought: str | None = None) -> Findings:
    """Compute everything from the rows of `sweep.csv`.

    Args:
        rows: the jobs; test figures of configurations that are not selected are dropped.
        axes: those compared, without the seed.
        sought: what a search looked for, `val/loss` or `val/accuracy`; None for a grid.
    """
    kind = sought or ACCURACY
    # Chosen before any test figure can be seen.
    chosen = selected(configurations_of([row.without_test() for row in rows], kind))
    reported = set() if chosen is None else {row.folder for row in chosen.by_seed.values()}
    kept = [row if row.folder in reported else row.without_test() for row in rows]
    configurations = configurations_of(kept, kind)
    best = selected(configurations)
    comparisons = compare_with_best(configurations)
    # A search's trials are not matched: where it looked most is where it was best.
    effects = [] if sought else main_effects(kept, axes)
    said = verdict(kept, configurations, best, comparisons, effects, sought)
    return Findings(kept, configurations, best, comparisons, effects, said)
