"""The sections of a sweep's report: one function each, from the results to text, a table and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from imdbclf.folders.sweep import Sweep, SweepFolder
from imdbclf.reports.history import EpochRow
from imdbclf.reports.labels import axis_labels, number_of, p_cell, percent, signed, value_label
from imdbclf.reports.page import Section, TextTable
from imdbclf.reports.statistics import FEWEST
from imdbclf.reports.sweep.analysis import Comparison, Configuration, Effect
from imdbclf.reports.sweep.conclusions import ONE_SEED, Conclusions
from imdbclf.reports.sweep.plots import MOST_PANELS, draw_cost, draw_curves, draw_effects

NONE = "–"
METHOD = f"bootstrap-t; Student's t below {FEWEST} seeds"
INTERVALS = f"Metrics are means over seeds, ± half of the 95 % interval ({METHOD})."
SEARCH_NOTE = (
    "Ordered by validation {}, which the search optimised. Accuracy and loss are those of the best epoch. "
    "Test metrics are reported for the best configuration only. With one seed there is no significance test."
)


@dataclass(frozen=True)
class SweepResults:
    """What the sections show: conclusions, the history of each run by its folder, and where the reviews came from."""

    folder: SweepFolder
    sweep: Sweep
    conclusions: Conclusions
    epochs: Mapping[str, Sequence[EpochRow]] = field(default_factory=dict)
    data_sources: Sequence[str] = ()


def configurations_section(results: SweepResults) -> Section | None:
    """All configurations, best first."""
    conclusions, search = results.conclusions, results.sweep.search
    if not conclusions.configurations:
        return None
    table = configurations_table(results.sweep.compared, conclusions.configurations, conclusions.comparisons)
    notes = [SEARCH_NOTE.format(search["monitor"].removeprefix("val/"))] if search else _grid_notes(conclusions)
    text = "Metrics on the validation part, and the distance in accuracy behind the best configuration."
    if not conclusions.configurations[0].accuracies:
        text = (
            "There is no validation part. Accuracy on the test reviews is reported if there is only one configuration."
        )
    return Section("Configurations", [text], table, notes=notes)


def configurations_table(
    axes: Sequence[str], configurations: Sequence[Configuration], comparisons: Sequence[Comparison]
) -> TextTable:
    """A row for each configuration, best first, with its distance from the best."""
    if configurations and not configurations[0].accuracies:
        return _table_without_validation(axes, configurations)
    found = {id(comparison.configuration): comparison for comparison in comparisons}
    labels = axis_labels(axes)
    heads = ["seeds", "accuracy", "behind, points", "p", "p (Holm)", "parameters", "validation loss", "seconds per fit"]
    rows = [
        [*(value_label(one.choices[axis]) for axis in axes), *_metric_cells(one, found.get(id(one)))]
        for one in configurations
    ]
    highlighted = 0 if configurations[0].accuracies else None
    return TextTable([*(labels[axis] for axis in axes), *heads], rows, len(axes), highlighted)


def _table_without_validation(axes: Sequence[str], configurations: Sequence[Configuration]) -> TextTable:
    """A row for each configuration; of a single one, also its test accuracy and the spread of it over the seeds."""
    labels = axis_labels(axes)
    heads = ["seeds", "parameters", "seconds per fit"]
    rows = [
        [*(value_label(one.choices[axis]) for axis in axes), f"{len(one.by_seed)}", *_cost_cells(one)]
        for one in configurations
    ]
    if (tested := configurations[0].mean("test/accuracy")) is not None:
        heads.append("test accuracy")
        rows[0].append(percent(tested, configurations[0].half("test/accuracy")))
    if spread := configurations[0].spread("test/accuracy"):
        heads += ["smallest", "largest", "standard deviation, points"]
        rows[0] += [percent(spread[0]), percent(spread[1]), f"{100 * spread[2]:.2f}"]
    return TextTable([*(labels[axis] for axis in axes), *heads], rows, len(axes))


def _metric_cells(one: Configuration, comparison: Comparison | None) -> list[str]:
    accuracy, behind, p, p_holm = one.mean("val/accuracy"), NONE, None, None
    if comparison is not None and comparison.differences:
        behind = signed(comparison.mean, comparison.half).lstrip("+")
        p, p_holm = comparison.p, comparison.p_holm
    parameters, seconds = _cost_cells(one)
    loss = one.mean("val/loss")
    return [
        f"{len(one.by_seed)}",
        NONE if accuracy is None else percent(accuracy, one.half("val/accuracy")),
        behind,
        p_cell(p),
        p_cell(p_holm),
        parameters,
        NONE if loss is None else f"{loss:.4f}",
        seconds,
    ]


def _cost_cells(one: Configuration) -> list[str]:
    """Parameters, and seconds per fit."""
    means = ((one.mean("parameters"), ",.0f"), (one.mean("fit_seconds"), ".2f"))
    return [NONE if mean is None else format(mean, form) for mean, form in means]


def _grid_notes(conclusions: Conclusions) -> list[str]:
    configurations = conclusions.configurations
    seeds = len(configurations[0].by_seed)
    of_best = "Accuracy and loss are those of the best epoch. " if configurations[0].accuracies else ""
    notes = [f"{of_best}{ONE_SEED if seeds == 1 else INTERVALS}"]
    if conclusions.comparisons:
        notes.append(
            "Ordered by validation accuracy, since values of different losses cannot be compared. "
            "Test metrics are reported for the best configuration only."
        )
    if conclusions.comparisons and seeds > 1:
        notes.append(
            f"p: paired test ({METHOD}) against the best over common seeds; no other configuration changes it. "
            "p (Holm): adjusted for the number of comparisons, since one of 20 tests has p below .05 by chance. "
            f"Below .05 the configuration is significantly worse; {NONE} where no test is possible."
        )
    if any(len(one.by_seed) < seeds for one in configurations):
        notes.append("Configurations with fewer seeds come last and cannot be chosen as the best.")
    return notes


def effects_section(results: SweepResults) -> Section | None:
    """The main effect of each value of each axis."""
    effects = results.conclusions.effects
    if not effects:
        return None
    notes = [
        "An effect is averaged over all matched cells: pairs of configurations that differ only on this axis. "
        f"Interval and paired test ({METHOD}) are over the seeds' mean differences. "
        "p (Holm) is adjusted for the number of effects; p and the intervals are not. "
        "In the plot, pale lines are single seeds, and coloured points have p (Holm) below .05.",
    ]
    if any(effect.unit == "cell" for effect in effects):
        notes.append("With one seed the interval is over cells: it shows how they differ, not how certain the mean is.")
    text = "Validation accuracy with a value minus that with the first value of its axis."
    return Section("Main effects", [text], _effects_table(effects), [draw_effects(effects)], notes)


def _effects_table(effects: Sequence[Effect]) -> TextTable:
    labels = axis_labels(list(dict.fromkeys(effect.axis for effect in effects)))
    heads = ["axis", "value", "instead of", "accuracy, points", "p", "p (Holm)", "matched cells", "interval over"]
    rows = []
    for effect in effects:
        points, over = signed(effect.mean, effect.half), number_of(len(effect.differences), effect.unit)
        change = [labels[effect.axis], effect.value, effect.reference]
        rows.append([*change, points, p_cell(effect.p), p_cell(effect.p_holm), f"{effect.cells}", over])
    return TextTable(heads, rows, text_columns=3)


def curves_section(results: SweepResults) -> Section | None:
    """Training and validation loss by epoch."""
    plot = draw_curves(results.conclusions.configurations, results.epochs)
    text = (
        f"A panel for each configuration (at most the {MOST_PANELS} best), the best one in bold: means over seeds, "
        "up to the last epoch that all of them reached. "
        "Where the gap opens, the network learns the training reviews by heart."
    )
    return Section("Training curves", [text], plots=[plot]) if plot else None


def cost_section(results: SweepResults) -> Section | None:
    """Accuracy against parameters and seconds."""
    plot = draw_cost(results.conclusions.configurations)
    text = "A point for each configuration, with its 95 % interval over seeds; equal costs are side by side."
    return Section("Accuracy and cost", [text], plots=[plot]) if plot else None


def unfinished_section(results: SweepResults) -> Section | None:
    """The jobs that are not done, and why."""
    rows = [[row.folder, row.status, row.error] for row in results.conclusions.rows if row.status != "done"]
    text = "These jobs are not compared. A configuration is compared by its finished seeds."
    table = TextTable(["job", "status", "reason"], rows, text_columns=3)
    return Section("Not finished", [text], table) if rows else None
