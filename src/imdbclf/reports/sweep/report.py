"""The report of a sweep: `sweep.csv`, `epochs.csv`, plots, the page `sweep.html`, and the last lines on the console."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rich.table import Table

from imdbclf.console import command_line, console, program, shown_path, tell, text_table
from imdbclf.folders.sweep import SEED, Sweep, SweepFolder
from imdbclf.reports.labels import number_of
from imdbclf.reports.page import Section, page
from imdbclf.reports.statistics import FEWEST
from imdbclf.reports.sweep.analysis import Configuration
from imdbclf.reports.sweep.conclusions import conclusions_of
from imdbclf.reports.sweep.job_table import collect, write_epochs, write_table
from imdbclf.reports.sweep.search import search_section
from imdbclf.reports.sweep.sections import (
    SweepResults,
    configurations_section,
    configurations_table,
    cost_section,
    curves_section,
    effects_section,
    unfinished_section,
)
from imdbclf.storage import atomic_write

SECTIONS: Sequence[Callable[[SweepResults], Section | None]] = (
    configurations_section,
    effects_section,
    curves_section,
    cost_section,
    search_section,
    unfinished_section,
)
"""What is on the page, in this order. A function returns None if the sweep has nothing for its section."""

PLOTS = ("effects", "curves", "cost", "search")
"""The names of the plots' files; a file of an earlier report is removed if this one has no such plot."""

CONSOLE_ROWS = 15
"""Configurations on the console; the page has them all."""

_ONLY_ON_THE_PAGE = {"p", "validation loss", "seconds per fit"}
"""Columns that are too many for a terminal."""


def write_sweep_report(folder: SweepFolder) -> SweepResults:
    """Read the runs of a sweep, in any state, and write its report beside them, each file whole or not at all."""
    sweep = folder.read()
    jobs = collect(folder, sweep)
    conclusions = conclusions_of(jobs.rows, sweep.compared, sweep.search.get("monitor"))
    if sweep.search and conclusions.best is not None:
        confirmation = _confirmation(sweep, conclusions.best)
        conclusions = replace(conclusions, sentences=[*conclusions.sentences, confirmation])
    results = SweepResults(folder, sweep, conclusions, jobs.epochs, jobs.data_sources)
    write_table(conclusions.rows, sweep.axes, folder.table)
    write_epochs(conclusions.rows, jobs.epochs, folder.epochs)
    sections = [section for function in SECTIONS if (section := function(results))]
    plots = {folder.path / f"{plot.name}.png": plot.png for section in sections for plot in section.plots}
    for path in {folder.path / f"{name}.png" for name in PLOTS}.difference(plots):
        path.unlink(missing_ok=True)
    html = page(
        "reports/sweep/page.html.jinja",
        title=f"Sweep: {sweep.title}",
        sentences=results.conclusions.sentences,
        results=results,
        sections=sections,
    )
    for path, contents in [*plots.items(), (folder.page, html.encode())]:
        with atomic_write(path) as aside:
            aside.write_bytes(contents)
    return results


def _confirmation(sweep: Sweep, best: Configuration) -> str:
    """The command that repeats the best of a search: it was chosen from many with one seed."""
    folders = {row.folder for row in best.by_seed.values()}
    overrides = next(job.overrides for job in sweep.jobs if job.folder in folders)
    others = [override for override in overrides if not override.startswith(f"{SEED}=")]
    return f"Confirm it over seeds: {command_line([program(), 'train', '-m', *others, f'{SEED}=range({FEWEST})'])}"


def print_sweep(results: SweepResults) -> None:
    """The best configurations, the jobs that are not done and why, what follows in words, and where the files are."""
    conclusions, folder = results.conclusions, results.folder
    if conclusions.configurations:
        console().print(_console_table(results))
    for row in conclusions.rows:
        if row.status != "done":
            tell(f"{row.status}: {row.folder}" + (f": {row.error}" if row.error else ""))
    tell("")
    for sentence in conclusions.sentences:
        tell(sentence)
    tell(f"\nReviews:  {'; '.join(results.data_sources) or 'no run is finished'}")
    tell(f"Report:   {shown_path(folder.page)}" + (", with tests and corrections" if conclusions.details else ""))
    tell(f"Numbers:  {shown_path(folder.table)}, {shown_path(folder.epochs)}")


def _console_table(results: SweepResults) -> Table:
    sweep, conclusions = results.sweep, results.conclusions
    count = len(conclusions.configurations)
    metrics = "metrics on validation" if conclusions.configurations[0].accuracies else "without a validation part"
    shown = configurations_table(sweep.compared, conclusions.configurations[:CONSOLE_ROWS], conclusions.comparisons)
    kept = [k for k, head in enumerate(shown.heads) if k < shown.text_columns or head not in _ONLY_ON_THE_PAGE]
    table = text_table(
        [shown.heads[k] for k in kept],
        [[row[k] for k in kept] for row in shown.rows],
        shown.text_columns,
        title=f"{sweep.title}: {number_of(count, 'configuration')}, {metrics}",
        caption=f"… and {count - CONSOLE_ROWS:,} more in the report" if count > CONSOLE_ROWS else None,
    )
    for column in table.columns[shown.text_columns :]:
        column.no_wrap = True
    return table
