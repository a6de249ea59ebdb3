"""The conclusions of a sweep: statistics of its jobs, and sentences that state them. `sweep.csv` is enough for both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from imdbclf.reports.labels import choice_label, number_of, p_cell, p_text, percent, signed
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

ONE_SEED = f"With one seed there is no significance test. To repeat each configuration, add 'seed=range({FEWEST})'."
FEW = f"{{}} seeds are few: intervals may be too small. Add more: 'seed=range({FEWEST})'."
OPTIMISTIC = "The accuracy and the lead of the best may be slightly optimistic: it was chosen for its high mean."
FOLDS = "Each fold counts as a seed. Folds share training reviews, so intervals and p values are somewhat too small."
NO_VALIDATION = "There is no validation part, so no configuration was chosen and no test metrics are reported."
NAMED_EFFECTS = 8
"""Effects that get a sentence; the table has them all."""


@dataclass(frozen=True)
class Conclusions:
    """The jobs, the configurations (best first), what was tested, and sentences, the most important one first."""

    rows: Sequence[JobRow]
    configurations: Sequence[Configuration]
    best: Configuration | None
    comparisons: Sequence[Comparison]
    effects: Sequence[Effect]
    sentences: Sequence[str]


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
    sentences = _sentences(best, configurations, comparisons, effects, monitor)
    return Conclusions(kept, configurations, best, comparisons, effects, [*sentences, *_not_finished(kept)])


def _sentences(
    best: Configuration | None,
    configurations: Sequence[Configuration],
    comparisons: Sequence[Comparison],
    effects: Sequence[Effect],
    monitor: str | None,
) -> list[str]:
    if not configurations:
        return ["No job is done yet, so there is nothing to compare."]
    if best is None:
        return [NO_VALIDATION]
    folds = [FOLDS] if any(FOLDED in seed for seed in best.by_seed) else []
    sentences = [_best(best, len(configurations), monitor), *folds]
    if monitor:
        sentences.append(_chosen_by_search(len(configurations)))
    else:
        sentences += _of_a_grid(len(best.by_seed), comparisons)
    sentences += _effects(effects)
    tested = best.mean("test/accuracy")
    if tested is not None:
        sentences.append(f"Test accuracy of the best configuration: {percent(tested, best.half('test/accuracy'))}.")
    return sentences


def _of_a_grid(seeds: int, comparisons: Sequence[Comparison]) -> list[str]:
    if seeds == 1:
        said = [ONE_SEED]
    else:
        said = [_not_worse(comparisons)] if comparisons else []
        said += [FEW.format(seeds)] if seeds < FEWEST else []
    return [*said, OPTIMISTIC] if comparisons else said


def _best(best: Configuration, count: int, monitor: str | None) -> str:
    name = best.label if best.choices else "The one configuration"
    seeds = number_of(len(best.by_seed), "seed")
    accuracy, loss = best.mean("val/accuracy"), best.mean("val/loss")
    if accuracy is None:
        return f"{name}: {seeds}, without a validation part."
    value = percent(accuracy, best.half("val/accuracy"))
    if count == 1:
        return f"{name}: {value} validation accuracy ({seeds})."
    if monitor == "val/loss" and loss is not None:
        return f"Lowest validation loss: {name} (loss {loss:.4f}, accuracy {value}, {seeds})."
    return f"Best on validation: {name} (accuracy {value}, {seeds})."


def _chosen_by_search(count: int) -> str:
    if count == 1:
        return "Only one configuration is done, so the search has not chosen yet."
    return (
        f"It is the best of {count:,} configurations with one seed each, so its metrics may be slightly optimistic. "
        "The effect of a single axis cannot be computed from a search, since its trials are not spread evenly."
    )


def _not_worse(comparisons: Sequence[Comparison]) -> str:
    alike = sum(not comparison.is_significant for comparison in comparisons)
    untested = sum(comparison.p is None for comparison in comparisons)
    why = f" (no test is possible for {untested:,})" if untested else ""
    corrected = sum(one.is_significant_alone and not one.is_significant for one in comparisons)
    tests = number_of(len(comparisons), "test")
    chance = f" {corrected:,} of them have p below .05 alone, but not adjusted for {tests}: some do by chance."
    found = f"Not significantly worse: {alike:,} of {number_of(len(comparisons), 'other configuration')}{why}."
    return found + (chance if corrected else "")


def _effects(effects: Sequence[Effect]) -> list[str]:
    ordered = sorted(effects, key=lambda effect: not effect.is_significant)
    named = [_effect(effect, len(effects)) for effect in ordered[:NAMED_EFFECTS]]
    left = len(effects) - len(named)
    return [*named, f"The table has {number_of(left, 'more effect')}."] if left else named


def _effect(effect: Effect, tests: int) -> str:
    change = f"{choice_label(effect.axis, effect.value)} instead of {effect.reference}"
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
    return f"{change}: {signed(effect.mean, effect.half)} points{tested}."


def _not_finished(rows: Sequence[JobRow]) -> list[str]:
    counts = Counter(row.status for row in rows if row.status != "done")
    parts = [f"{counts[status]:,} {status}" for status in ("failed", "unfinished") if counts[status]]
    return [f"Not finished: {', '.join(parts)} of {number_of(len(rows), 'job')}."] if parts else []
