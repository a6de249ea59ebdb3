"""The closing words of a sweep on the console."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from imdbclf.console import say, say_table, shown_path
from imdbclf.reports.labels import number_of
from imdbclf.reports.sweep.page import SweepReport, configurations_table

SHOWN = 15
"""Configurations on the console; the report has them all."""

_SHORT = {"validation accuracy": "accuracy", "behind the best, points": "behind, points", "p (Holm)": "p"}
_LEFT_OUT = ("validation loss", "seconds a fit")
"""For the width of a terminal; the report has them."""


def print_sweep(report: SweepReport) -> None:
    """The best configurations, the jobs that are not done and why, the conclusions, and where the files are."""
    conclusions, folder = report.conclusions, report.folder
    if conclusions.configurations:
        say_table(_table(report))
    for row in conclusions.rows:
        if row.status != "done":
            say(f"{row.status}: {row.folder}" + (f": {row.error}" if row.error else ""))
    say("")
    for sentence in conclusions.sentences:
        say(sentence)
    say(f"\nReviews:  {'; '.join(report.data_sources) or 'no run is finished'}")
    say(f"Report:   {shown_path(folder.page)}")
    say(f"Numbers:  {shown_path(folder.table)}, {shown_path(folder.epochs)}")


def _table(report: SweepReport) -> Table:
    configurations = report.conclusions.configurations
    shown = configurations_table(report.sweep.compared, configurations[:SHOWN], report.conclusions.comparisons)
    left = len(configurations) - len(shown.rows)
    table = Table(
        title=f"{report.sweep.experiment}: {number_of(len(configurations), 'configuration')}, metrics on validation",
        title_justify="left",
        caption=f"… and {left:,} more in the report" if left else None,
        caption_justify="left",
    )
    kept = [number for number, head in enumerate(shown.heads) if head not in _LEFT_OUT]
    for number in kept:
        is_text = number < shown.left
        head = _SHORT.get(shown.heads[number], shown.heads[number])
        table.add_column(head, justify="left" if is_text else "right", no_wrap=not is_text)
    for row in shown.rows:
        table.add_row(*(escape(row[number]) for number in kept))
    return table
