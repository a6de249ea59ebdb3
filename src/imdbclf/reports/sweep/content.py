"""The sections of a report: which tables, pictures and explanations there are, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imdbclf.folders.sweep import Sweep
from imdbclf.reports.history import Row as EpochRow
from imdbclf.reports.sweep.configurations import Comparison, Configuration
from imdbclf.reports.sweep.effects import Effect
from imdbclf.reports.sweep.figures import draw_cost, draw_curves, draw_effects
from imdbclf.reports.sweep.findings import Findings
from imdbclf.reports.sweep.labels import axis_labels, number_of, percent, shown_p, shown_value, signed
from imdbclf.reports.sweep.sections import Picture, Section, TextTable
from imdbclf.reports.sweep.table import JobRow
from imdbclf.reports.sweep.verdict import MORE_SEEDS

PICTURES = ("effects", "curves", "cost", "search")
"""The pictures of the report itself; those that a sweep has nothing for are absent."""

NONE = "–"


def sections_of(
    sweep: Sweep,
    findings: Findings,
    epochs: Mapping[str, Sequence[EpochRow]],
    extra_sections: Sequence[Section],
) -> list[Section]:
    """All sections that the sweep has something for, in the order in which they are read."""
    sections: list[Section] = []
    if findings.configurations:
        notes = _search_notes(sweep) if sweep.search else None
        sections.append(configurations_section(sweep.compared, findings, notes))
    if findings.effects:
        sections.append(effects_section(findings.effects, draw_effects(findings.effects)))
    if curves := draw_curves(findings.configurations, epochs, findings.effects):
        text = "A line a configuration: the mean over its seeds, as far as all of them went."
        sections.append(Section("The course of training", text=[text], pictures=[curves]))
    if cost := draw_cost(findings.configurations):
        text = "A point a configuration, its bar the 95 % interval over seeds; the best one stands out."
        sections.append(Section("What accuracy costs", text=[text], pictures=[cost]))
    sections.extend(extra_sections)
    if open_jobs := [row for row in findings.rows if row.status != "done"]:
        sections.append(_open_jobs(open_jobs))
    return sections


def configurations_section(axes: Sequence[str], findings: Findings, notes: list[str] | None = None) -> Section:
    """All configurations, and how to read their table; a grid's `notes` follow from the findings."""
    configurations = findings.configurations
    return Section(
        "Configurations",
        table=configurations_table(axes, configurations, findings.comparisons),
        notes=_configuration_notes(findings) if notes is None else notes,
    )


def configurations_table(
    axes: Sequence[str], configurations: Sequence[Configuration], comparisons: Sequence[Comparison]
) -> TextTable:
    """A row a configuration, best first, with its distance from the best."""
    found = {id(comparison.configuration): comparison for comparison in comparisons}
    labels = axis_labels(axes)
    heads = [
        *(labels[axis] for axis in axes),
        "seeds",
        "validation accuracy",
        "behind the best, points",
        "p (Holm)",
        "validation loss",
        "parameters",
        "seconds a fit",
    ]
    rows = [
        [*(shown_value(one.choices[axis]) for axis in axes), *_figures(one, found.get(id(one)))]
        for one in configurations
    ]
    return TextTable(heads, rows, left=len(axes), highlighted=0 if configurations[0].accuracies else None)


def _figures(one: Configuration, comparison: Comparison | None) -> list[str]:
    accuracy, loss = one.mean("val/accuracy"), one.mean("val/loss")
    parameters, seconds = one.mean("parameters"), one.mean("fit_seconds")
    behind = NONE
    if comparison is not None and comparison.difference is not None:
        behind = signed(comparison.difference, comparison.half).lstrip("+")
    return [
        f"{len(one.by_seed)}",
        NONE if accuracy is None else percent(accuracy, one.half("val/accuracy")),
        behind,
        NONE if comparison is None else shown_p(comparison.p),
        NONE if loss is None else f"{loss:.4f}",
        NONE if parameters is None else f"{parameters:,.0f}",
        NONE if seconds is None else f"{seconds:.2f}",
    ]


def _search_notes(sweep: Sweep) -> list[str]:
    order = "accuracy" if sweep.search["monitor"] == "val/accuracy" else "loss"
    return [
        f"The accuracy of the best epoch; ordered by {order}, which the search looked for. Chosen on validation; test "
        "figures are reported for what was chosen, and for nothing else. With one seed nothing is tested."
    ]


def _configuration_notes(findings: Findings) -> list[str]:
    configurations = findings.configurations
    seeds = len(configurations[0].by_seed)
    notes = ["Mean over seeds ± half of its 95 % interval (Student's t); accuracy is that of each run's best epoch."]
    if seeds == 1:
        notes = [f"The accuracy of the best epoch. {MORE_SEEDS}"]
    if len(configurations) > 1:
        notes.append(
            "Ordered by accuracy, since losses of different names can't be compared. "
            "Chosen on validation; test figures are reported for what was chosen, and for nothing else."
        )
    if findings.comparisons and seeds > 1:
        notes.append(
            "p: paired t test over the seeds shared with the best, adjusted for the number of comparisons (Holm). "
            f"Below .05 the best is better; {NONE} where no test is possible (fewer than two shared seeds, or "
            "differences without a spread)."
        )
    if any(len(one.by_seed) < seeds for one in configurations):
        notes.append("Configurations with fewer seeds than others stand last and were not chosen among.")
    return notes


def effects_section(effects: Sequence[Effect], picture: Picture | None) -> Section:
    """All effects, and how to read their table and picture."""
    labels = axis_labels(list(dict.fromkeys(effect.axis for effect in effects)))
    rows = [
        [
            labels[effect.axis],
            effect.value,
            effect.reference,
            signed(effect.mean, effect.half),
            shown_p(effect.p),
            f"{effect.cells}",
            number_of(len(effect.differences), effect.unit),
        ]
        for effect in effects
    ]
    heads = ["", "value", "instead of", "accuracy, points", "p (Holm)", "matched cells", "interval over"]
    over_cells = any(effect.unit == "cell" for effect in effects)
    notes = [
        "Averaged over all matched cells: pairs of configurations that differ in this choice alone. Seeds are the "
        "unit: one mean difference a seed, then Student's t interval and paired t test. p is adjusted for the number "
        "of effects (Holm), the intervals are not. The pale lines are single seeds; "
        "coloured are the differences with p below .05.",
    ]
    if over_cells:
        notes.append(
            "Where there is one seed the interval is over cells. They share one split and one initialisation, so it "
            "says how much the cells differ, not how sure the mean is; nothing is tested."
        )
    return Section(
        "What each choice changes",
        text=["Validation accuracy with a value minus that with the first value of its axis."],
        table=TextTable(heads, rows, left=3),
        pictures=[picture] if picture else [],
        notes=notes,
    )


def _open_jobs(rows: Sequence[JobRow]) -> Section:
    return Section(
        "Not finished",
        text=["These jobs are no part of the comparisons; a configuration counts with the seeds that are done."],
        table=TextTable(["job", "status", "why"], [[row.folder, row.status, row.error] for row in rows], left=3),
    )
