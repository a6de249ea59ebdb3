"""What a sweep says, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from imdbclf.reports.labels import number_of, percent, said_choice, said_p, signed
from imdbclf.reports.sweep.configurations import Comparison, Configuration
from imdbclf.reports.sweep.effects import Effect
from imdbclf.reports.sweep.table import JobRow

MORE_SEEDS = "With one seed nothing can be tested, since chance can't be told from choice: add 'seed=range(5)'."
CURSE = "It was picked for having the highest mean, so that mean, and its lead over the others, read a little high."
NO_VALIDATION = "There was no validation part, so no configuration can be chosen, and no test figures are reported."
SHOWN_EFFECTS = 8
"""Effects that get a sentence; the table has them all."""


def verdict(
    rows: Sequence[JobRow],
    configurations: Sequence[Configuration],
    best: Configuration | None,
    comparisons: Sequence[Comparison],
    effects: Sequence[Effect],
    sought: str | None = None,
) -> list[str]:
    """The sentences, the most important first; none of them needs the tables to be understood.

    Args:
        rows: all jobs.
        configurations: those with a finished run, best first.
        best: the one selected, if any was.
        comparisons: of the others with the best.
        effects: of all axes.
        sought: what a search looked for; None for a grid.
    """
    sentences = [f"Not finished: {text}."] if (text := _not_finished(rows)) else []
    if not configurations:
        return ["No job is done yet, so there is nothing to compare.", *sentences]
    if best is None:
        return [NO_VALIDATION, *sentences]
    return [
        _best(best, len(configurations), sought),
        *([_picked(len(configurations))] if sought else _told_apart(best, comparisons)),
        *_effects(effects),
        *_test(best),
        *sentences,
    ]


def _not_finished(rows: Sequence[JobRow]) -> str:
    counts = Counter(row.status for row in rows if row.status != "done")
    said = [f"{counts[status]:,} {status}" for status in ("failed", "unfinished") if counts[status]]
    return f"{', '.join(said)} of {number_of(len(rows), 'job')}" if said else ""


def _picked(count: int) -> str:
    if count == 1:
        return "One configuration is done, so the search has not chosen yet."
    return (
        f"It was picked for being the best of {count:,} with one seed, so its figures read a little high; what an axis "
        "changes can't be told from a search, whose trials crowd where it went well."
    )


def _best(best: Configuration, count: int, sought: str | None) -> str:
    name = best.label if best.choices else "The one configuration"
    seeds = number_of(len(best.by_seed), "seed")
    accuracy = best.mean("val/accuracy")
    if accuracy is None:
        return f"{name}: {seeds}, without a validation part."
    figure = percent(accuracy, best.half("val/accuracy"))
    if count == 1:
        return f"{name}: {figure} accuracy on validation ({seeds})."
    loss = best.mean("val/loss")
    if sought == "val/loss" and loss is not None:
        return f"Lowest validation loss: {name}: {loss:.4f}, {figure} accuracy ({seeds})."
    return f"Best on validation: {name}: {figure} accuracy ({seeds})."


def _told_apart(best: Configuration, comparisons: Sequence[Comparison]) -> list[str]:
    if not comparisons:
        return [_alone(best)] if len(best.accuracies) == 1 else []
    if len(best.accuracies) == 1:
        return [MORE_SEEDS, CURSE]
    alike = sum(not comparison.is_told_apart for comparison in comparisons)
    untested = sum(comparison.p is None for comparison in comparisons)
    why = f" (for {untested:,} no test is possible)" if untested else ""
    return [f"{_alike(alike, len(comparisons))}{why}.", CURSE]


def _alike(alike: int, others: int) -> str:
    """How many of the others can't be told from the best."""
    if others == 1:
        return "The other configuration " + ("can't be told from it" if alike else "is worse, as the seeds show")
    if alike == 0:
        return f"All {others:,} other configurations are worse, as the seeds show"
    if alike == others:
        return f"None of the {others:,} other configurations can be told from it"
    return f"{alike:,} of the {others:,} other configurations can't be told from it"


def _alone(best: Configuration) -> str:
    return MORE_SEEDS if best.choices else "With one seed there is no interval: add 'seed=range(5)'."


def _effects(effects: Sequence[Effect]) -> list[str]:
    shown = [effect for effect in effects if effect.is_shown]
    others = [effect for effect in effects if not effect.is_shown]
    said = [_effect(effect) for effect in [*shown, *others][:SHOWN_EFFECTS]]
    left = len(effects) - len(said)
    return [*said, f"{number_of(left, 'more effect is', 'more effects are')} in the table."] if left else said


def _effect(effect: Effect) -> str:
    change = f"{said_choice(effect.axis, effect.value)} instead of {effect.reference}"
    points = f"{signed(effect.mean, effect.half)} points"
    if effect.is_shown and effect.p is not None:
        return f"{change}: {points} ({said_p(effect.p)})."
    if effect.unit == "cell":
        return f"{change}: {points} over {number_of(effect.cells, 'pair')} of runs of one seed, not tested."
    count = number_of(len(effect.differences), "seed")
    return f"{change} makes no difference that {count} can show: {points}."


def _test(best: Configuration) -> list[str]:
    accuracy = best.mean("test/accuracy")
    if accuracy is None:
        return []
    figure = percent(accuracy, best.half("test/accuracy"))
    return [f"On the test reviews, looked at for this configuration alone: {figure}."]
