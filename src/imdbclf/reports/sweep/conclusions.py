"""The conclusions of a sweep: statistics of its jobs, and sentences that state them. `sweep.csv` is enough for both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from imdbclf.reports.labels import axis_label, choice_label, number_of, p_cell, p_text, percent, signed
from imdbclf.reports.statistics import FEWEST
from imdbclf.reports.sweep.analysis import (
    ACCURACY,
    Comparison,
    Configuration,
    Effect,
    compare_with_best,
    configurations_of,
    main_effects,
    selected,
)
from imdbclf.reports.sweep.job_table import FOLDED, JobRow

ONE_SEED = f"With one seed nothing is tested, and another seed may change the order: add 'seed=range({FEWEST})'."
FEW = f"{{}} seeds are few: intervals may be too small, so add more ('seed=range({FEWEST})')"
OPTIMISTIC = "The accuracy and the lead of the best may be slightly optimistic: it was chosen for its high mean."
FOLDS = "Each fold counts as a seed. Folds share training reviews, so intervals and p values are somewhat too small."
NO_VALIDATION = "There is no validation part, so no configuration was chosen and no test metrics are reported."
SEARCHED = "The effect of a single axis cannot be computed from a search, since its trials are not spread evenly."


@dataclass(frozen=True)
class Conclusions:
    """The jobs, the configurations (best first), what was tested, and what follows in words.

    `sentences` say which is best, which choices mattered and what the seeds allow to conclude, in at most three, and
    whether jobs are missing. `details` are the tests and their corrections.
    """

    rows: Sequence[JobRow]
    configurations: Sequence[Configuration]
    best: Configuration | None
    comparisons: Sequence[Comparison]
    effects: Sequence[Effect]
    sentences: Sequence[str]
    details: Sequence[str] = ()


def conclusions_of(rows: Sequence[JobRow], axes: Sequence[str], monitor: str | None = None) -> Conclusions:
    """Compute everything from the rows of `sweep.csv` and the compared axes, which do not include the seed.

    Only the chosen configuration keeps its test metrics. `monitor` is what a search optimised, None for a grid.
    """
    order = monitor or ACCURACY
    # Choose before any test metric can be seen.
    chosen = selected(configurations_of([row.without_test_metrics() for row in rows], order))
    reported = set() if chosen is None else {row.folder for row in chosen.by_seed.values()}
    kept = [row if row.folder in reported else row.without_test_metrics() for row in rows]
    configurations = configurations_of(kept, order)
    best, comparisons = selected(configurations), compare_with_best(configurations)
    # A search samples the good regions more often, so its trials have no matched cells.
    effects = [] if monitor else main_effects(kept, axes)
    nothing = NO_VALIDATION if configurations else "No job is done yet, so there is nothing to compare."
    sentences, details = _said(best, comparisons, effects, monitor) if best else ([nothing], [])
    sentences += _not_finished(kept)
    return Conclusions(kept, configurations, best, comparisons, effects, sentences, details)


def _said(
    best: Configuration, comparisons: Sequence[Comparison], effects: Sequence[Effect], monitor: str | None
) -> tuple[list[str], list[str]]:
    """The sentences and the details."""
    first, seeds = _best(best, comparisons, monitor), len(best.by_seed)
    details = [FOLDS] if any(FOLDED in seed for seed in best.by_seed) else []
    if monitor:
        return [first, _chosen_by_search(len(comparisons) + 1)], [*details, SEARCHED]
    allowed = [_worse(comparisons)] if comparisons and seeds > 1 else []
    details += [_not_worse(comparisons)] if allowed else []
    allowed += [FEW.format(seeds)] if 1 < seeds < FEWEST else []
    details += [OPTIMISTIC] if comparisons else []
    details += [_effect(one, len(effects)) for one in sorted(effects, key=lambda effect: not effect.is_significant)]
    joined = [f"{'; '.join(clauses)}." for clauses in (_choices(effects, seeds), allowed) if clauses]
    return [first, *joined, *([ONE_SEED] if seeds == 1 else [])], details


def _best(best: Configuration, comparisons: Sequence[Comparison], monitor: str | None) -> str:
    name, seeds = best.label if best.choices else "The one configuration", number_of(len(best.by_seed), "seed")
    accuracy, loss, tested = (best.mean(metric) for metric in ("val/accuracy", "val/loss", "test/accuracy"))
    test = "" if tested is None else f"; test accuracy {percent(tested, best.half('test/accuracy'))}"
    if accuracy is None:
        return f"{name}: {seeds}, without a validation part{test}{_spread(best)}."
    value = percent(accuracy, best.half("val/accuracy"))
    if not comparisons:
        return f"{name}: {value} validation accuracy ({seeds}){test}."
    if monitor == "val/loss" and loss is not None:
        return f"Lowest validation loss: {name} (loss {loss:.4f}, accuracy {value}, {seeds}){test}."
    lead = f", {signed(comparisons[0].mean).lstrip('+')} points ahead of the next" if comparisons[0].differences else ""
    return f"Best on validation: {name} (accuracy {value}, {seeds}){lead}{test}."


def _spread(only: Configuration) -> str:
    if (spread := only.spread("test/accuracy")) is None:
        return ""
    smallest, largest, deviation = spread
    return f" (from {percent(smallest)} to {percent(largest)}, standard deviation {100 * deviation:.2f} points)"


def _chosen_by_search(count: int) -> str:
    if count == 1:
        return "Only one configuration is done, so the search has not chosen yet."
    return f"It is the best of {count:,} configurations with one seed each, so its metrics may be slightly optimistic."


def _choices(effects: Sequence[Effect], seeds: int) -> list[str]:
    """The largest effect of each axis that has a significant one, and the other axes."""
    ordered = sorted(effects, key=lambda effect: (effect.is_significant, abs(effect.mean)))
    if seeds == 1 and ordered:
        return [f"Largest difference: {_change(ordered[-1])} ({signed(ordered[-1].mean)} points)"]
    largest = {effect.axis: effect for effect in ordered}
    visible = [f"{_change(one)} ({signed(one.mean)} points)" for one in largest.values() if one.is_significant]
    others = [axis_label(axis) for axis, one in largest.items() if not one.is_significant]
    said = [f"What mattered: {', '.join(reversed(visible))}"] if visible else []
    return said + ([f"{seeds} seeds show no difference for {', '.join(others)}"] if others else [])


def _worse(comparisons: Sequence[Comparison]) -> str:
    worse, others = sum(one.is_significant for one in comparisons), number_of(len(comparisons), "other configuration")
    rest = ", and the others may be as good" if worse < len(comparisons) else ""
    return f"Of {others}, {worse or 'none'} {'are' if worse > 1 else 'is'} clearly worse than the best{rest}"


def _not_worse(comparisons: Sequence[Comparison]) -> str:
    alike = sum(not comparison.is_significant for comparison in comparisons)
    untested = sum(comparison.p is None for comparison in comparisons)
    why = f" (no test is possible for {untested:,})" if untested else ""
    corrected = sum(one.is_significant_alone and not one.is_significant for one in comparisons)
    tests = number_of(len(comparisons), "test")
    chance = f" {corrected:,} of them have p below .05 alone, but not adjusted for {tests}: some do by chance."
    found = f"Not significantly worse: {alike:,} of {number_of(len(comparisons), 'other configuration')}{why}."
    return found + (chance if corrected else "")


def _change(effect: Effect) -> str:
    return f"{choice_label(effect.axis, effect.value)} instead of {effect.reference}"


def _effect(effect: Effect, tests: int) -> str:
    if effect.unit == "cell":
        tested = f" over {number_of(effect.cells, 'pair')} of runs with one seed, not tested"
    elif effect.p is None or effect.p_holm is None:
        tested = ", not tested"
    elif effect.is_significant:
        tested = f" ({p_text(effect.p_holm)})"
    elif effect.is_significant_alone:
        tested = f", not significant: {p_text(effect.p)} alone, but {p_cell(effect.p_holm)} adjusted for {tests} tests"
    else:
        tested = f", not significant with {number_of(len(effect.differences), 'seed')}"
    return f"{_change(effect)}: {signed(effect.mean, effect.half)} points{tested}."


def _not_finished(rows: Sequence[JobRow]) -> list[str]:
    counts = Counter(row.status for row in rows if row.status != "done")
    parts = [f"{counts[status]:,} {status}" for status in ("failed", "unfinished") if counts[status]]
    return [f"Not finished: {', '.join(parts)} of {number_of(len(rows), 'job')}."] if parts else []
