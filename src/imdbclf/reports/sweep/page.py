"""What a report is made of: sections of text, a table and plots. Another module may add sections of its own.

The sections of a report: which tables, plots and explanations there are, and in which order.

The report as Markdown, plots beside it, and as one HTML file that needs nothing else.

The report of a sweep: folders in, `sweep.csv`, `epochs.csv`, `sweep.md` with its plots, `sweep.html` out.
"""

from __future__ import annotations

import re
import shlex
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from imdbclf.console import program
from imdbclf.folders.sweep import SEED, Sweep, SweepFolder
from imdbclf.reports.history import EpochRow
from imdbclf.reports.labels import axis_labels, number_of, p_cell, percent, signed, value_label
from imdbclf.reports.sweep.conclusions import ONE_SEED, Conclusions, conclusions_of
from imdbclf.reports.sweep.configurations import Comparison, Configuration
from imdbclf.reports.sweep.effects import Effect
from imdbclf.reports.sweep.job_table import JobRow, collect, write_epochs, write_table
from imdbclf.reports.sweep.plots import draw_cost, draw_curves, draw_effects
from imdbclf.reports.sweep.search import search_sections
from imdbclf.reports.sweep.sections import Plot, Section, TextTable
from imdbclf.storage import atomic_write

PLOTS = ("effects", "curves", "cost", "search")
"""The plots of the report itself; those that a sweep has nothing for are absent."""

NONE = "–"


def sections_of(
    sweep: Sweep,
    conclusions: Conclusions,
    epochs: Mapping[str, Sequence[EpochRow]],
    extra_sections: Sequence[Section],
) -> list[Section]:
    """All sections that the sweep has something for, in the order in which they are read."""
    sections: list[Section] = []
    if conclusions.configurations:
        notes = _search_notes(sweep) if sweep.search else None
        sections.append(configurations_section(sweep.compared, conclusions, notes))
    if conclusions.effects:
        sections.append(effects_section(conclusions.effects, draw_effects(conclusions.effects)))
    if curves := draw_curves(conclusions.configurations, epochs, conclusions.effects):
        text = "A line a configuration: the mean over its seeds, as far as all of them went."
        sections.append(Section("The course of training", text=[text], plots=[curves]))
    if cost := draw_cost(conclusions.configurations):
        text = "A point a configuration, its bar the 95 % interval over seeds; the best one stands out."
        sections.append(Section("What accuracy costs", text=[text], plots=[cost]))
    sections.extend(extra_sections)
    if open_jobs := [row for row in conclusions.rows if row.status != "done"]:
        sections.append(_open_jobs(open_jobs))
    return sections


def configurations_section(axes: Sequence[str], conclusions: Conclusions, notes: list[str] | None = None) -> Section:
    """All configurations, and how to read their table; a grid's `notes` follow from the conclusions."""
    configurations = conclusions.configurations
    return Section(
        "Configurations",
        table=configurations_table(axes, configurations, conclusions.comparisons),
        notes=_configuration_notes(conclusions) if notes is None else notes,
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
        [*(value_label(one.choices[axis]) for axis in axes), *_metrics(one, found.get(id(one)))]
        for one in configurations
    ]
    return TextTable(heads, rows, left=len(axes), highlighted=0 if configurations[0].accuracies else None)


def _metrics(one: Configuration, comparison: Comparison | None) -> list[str]:
    accuracy, loss = one.mean("val/accuracy"), one.mean("val/loss")
    parameters, seconds = one.mean("parameters"), one.mean("fit_seconds")
    behind = NONE
    if comparison is not None and comparison.difference is not None:
        behind = signed(comparison.difference, comparison.half).lstrip("+")
    return [
        f"{len(one.by_seed)}",
        NONE if accuracy is None else percent(accuracy, one.half("val/accuracy")),
        behind,
        NONE if comparison is None else p_cell(comparison.p),
        NONE if loss is None else f"{loss:.4f}",
        NONE if parameters is None else f"{parameters:,.0f}",
        NONE if seconds is None else f"{seconds:.2f}",
    ]


def _search_notes(sweep: Sweep) -> list[str]:
    order = "accuracy" if sweep.search["monitor"] == "val/accuracy" else "loss"
    return [
        f"The accuracy of the best epoch; ordered by {order}, which the search looked for. Chosen on validation; test "
        "metrics are reported for what was chosen, and for nothing else. With one seed nothing is tested."
    ]


def _configuration_notes(conclusions: Conclusions) -> list[str]:
    configurations = conclusions.configurations
    seeds = len(configurations[0].by_seed)
    notes = ["Mean over seeds ± half of its 95 % interval (Student's t); accuracy is that of each run's best epoch."]
    if seeds == 1:
        notes = [f"The accuracy of the best epoch. {ONE_SEED}"]
    if len(configurations) > 1:
        notes.append(
            "Ordered by accuracy, since losses of different names can't be compared. "
            "Chosen on validation; test metrics are reported for what was chosen, and for nothing else."
        )
    if conclusions.comparisons and seeds > 1:
        notes.append(
            "p: paired t test over the seeds shared with the best, adjusted for the number of comparisons (Holm). "
            f"Below .05 the best is better; {NONE} where no test is possible (fewer than two shared seeds, or "
            "differences without a spread)."
        )
    if any(len(one.by_seed) < seeds for one in configurations):
        notes.append("Configurations with fewer seeds than others stand last and were not chosen among.")
    return notes


def effects_section(effects: Sequence[Effect], plot: Plot | None) -> Section:
    """All effects, and how to read their table and plot."""
    labels = axis_labels(list(dict.fromkeys(effect.axis for effect in effects)))
    rows = [
        [
            labels[effect.axis],
            effect.value,
            effect.reference,
            signed(effect.mean, effect.half),
            p_cell(effect.p),
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
        plots=[plot] if plot else [],
        notes=notes,
    )


def _open_jobs(rows: Sequence[JobRow]) -> Section:
    return Section(
        "Not finished",
        text=["These jobs are no part of the comparisons; a configuration counts with the seeds that are done."],
        table=TextTable(["job", "status", "why"], [[row.folder, row.status, row.error] for row in rows], left=3),
    )


_TEMPLATES = Path(__file__).parent / "templates"
_MARKS = re.compile(r"([\\`*|<>&]|\](?=\())")


@dataclass(frozen=True)
class Page:
    """All that is on the page: its title, the command, where the reviews came from, the conclusions, the sections."""

    title: str
    command: str
    data_sources: Sequence[str]
    conclusions: Sequence[str]
    sections: Sequence[Section]


def html_page(page: Page) -> str:
    """The report as one HTML file: style and plots inside, no script, every text escaped."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["base64"] = lambda data: b64encode(data).decode()
    template = environment.get_template("sweep.html.jinja")
    return template.render(page=page)


def markdown_page(page: Page) -> str:
    """The report as Markdown (GitHub's, for its tables); its plots are files named after them."""
    # Not HTML: sentence_ends of Markdown are what a text must not bring with it.
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=False,  # noqa: S701 - the filter `plain` escapes
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = plain
    template = environment.get_template("sweep.md.jinja")
    return template.render(page=page)


def plain(text: str) -> str:
    """The text so that Markdown shows it as it is, in a table too."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


@dataclass(frozen=True)
class SweepReport:
    """A report that has been written: its folder, what was asked, where the reviews came from, what was found."""

    folder: SweepFolder
    sweep: Sweep
    data_sources: Sequence[str]
    conclusions: Conclusions


def write_sweep_report(folder: SweepFolder, extra_sections: Sequence[Section] = ()) -> SweepReport:
    """Read the runs of a sweep and write its report beside them, each file whole or not at all.

    Args:
        folder: with a `sweep.json`; its runs may be in any state.
        extra_sections: parts of the report that another module adds, before the list of what is not finished.

    Raises:
        UserError: if the folder is none of a sweep.
    """
    sweep = folder.read()
    collected = collect(folder, sweep)
    conclusions = conclusions_of(collected.rows, sweep.compared, sweep.search.get("monitor"))
    if sweep.search and conclusions.best is not None:
        conclusions = replace(conclusions, sentences=[*conclusions.sentences, _confirmation(sweep, conclusions.best)])
    write_table(conclusions.rows, sweep.axes, folder.table)
    write_epochs(conclusions.rows, collected.epochs, folder.epochs)
    added = [*search_sections(folder, sweep), *extra_sections]
    sections = sections_of(sweep, conclusions, collected.epochs, added)
    _write_pages(folder, Page(sweep.experiment, sweep.command, collected.data_sources, conclusions.sentences, sections))
    return SweepReport(folder, sweep, collected.data_sources, conclusions)


def _confirmation(sweep: Sweep, best: Configuration) -> str:
    """What to do with the best of a search: one seed of many configurations says little of it."""
    folders = {row.folder for row in best.by_seed.values()}
    overrides = next(job.overrides for job in sweep.jobs if job.folder in folders)
    others = [override for override in overrides if not override.startswith(f"{SEED}=")]
    return f"Confirm it over seeds: {shlex.join([program(), 'train', '-m', *others, f'{SEED}=range(5)'])}"


def _write_pages(folder: SweepFolder, page: Page) -> None:
    drawn = {plot.name: plot.png for section in page.sections for plot in section.plots}
    for name in PLOTS:
        if name not in drawn:
            # One of an earlier report would show what is no longer so.
            (folder.path / f"{name}.png").unlink(missing_ok=True)
    for name, png in drawn.items():
        _write(folder.path / f"{name}.png", png)
    _write(folder.text, markdown_page(page).encode())
    _write(folder.page, html_page(page).encode())


def _write(path: Path, contents: bytes) -> None:
    with atomic_write(path) as aside:
        aside.write_bytes(contents)
