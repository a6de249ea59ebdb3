"""The comparison of runs for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from imdbclf.console import console
from imdbclf.reports.compare.comparison import Difference, RunComparison
from imdbclf.reports.labels import number_of, p_cell, p_text, percent, signed

CAUTION = (
    "This compares networks, not settings: another seed would give other networks. To compare settings, repeat both "
    "over seeds (imdbclf train -m … 'seed=range(5)')."
)


def print_comparison(comparison: RunComparison) -> None:
    """A row a run, a sentence a difference, and the reviews that divide them most."""
    out = console()
    for run in comparison.runs:
        out.print(f"{letter(comparison, run.run)}  {run.run}", markup=False, soft_wrap=True)
    out.print(_runs_table(comparison))
    for difference in comparison.differences:
        out.print(escape(said_difference(difference, comparison)), soft_wrap=True)
    if comparison.dividing:
        out.print(f"\nWhere they differ most, of {number_of(comparison.reviews, 'test review')}:")
        out.print(_dividing_table(comparison))
    if comparison.note:
        out.print(f"({comparison.note})", markup=False, soft_wrap=True)
    out.print(f"\n{CAUTION}", markup=False, soft_wrap=True)


def said_difference(difference: Difference, comparison: RunComparison) -> str:
    """A difference as a sentence that says whether there is one."""
    low, high = (signed(end) for end in difference.interval)
    points = f"{signed(difference.difference)} points ({low} to {high})"
    names = f"{letter(comparison, difference.run)} against A"
    adjusted = ", Holm" if len(comparison.differences) > 1 else ""
    if difference.is_significant:
        return f"{names}: {points}; they differ ({p_text(difference.p_holm)}{adjusted})."
    return f"{names}: {points}; no difference that these reviews can show ({p_text(difference.p_holm)}{adjusted})."


def letter(comparison: RunComparison, run: str) -> str:
    """A short name for a run: A, B, …, Z, AA, and so on."""
    number, name = [one.run for one in comparison.runs].index(run) + 1, ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _runs_table(comparison: RunComparison) -> Table:
    table = _table(["", "accuracy", "95 % interval", "vs A, points", "only A right", "only it right", "p"], left=2)
    found = {difference.run: difference for difference in comparison.differences}
    for run in comparison.runs:
        low, high = run.interval
        cells = [
            letter(comparison, run.run),
            percent(run.accuracy),
            f"{percent(low)} – {percent(high)}",
        ]
        if difference := found.get(run.run):
            cells += [
                signed(difference.difference),
                f"{difference.only_first_right:,}",
                f"{difference.only_this_right:,}",
                p_cell(difference.p_holm),
            ]
        table.add_row(*cells)
    return table


def _dividing_table(comparison: RunComparison) -> Table:
    letters = [letter(comparison, run.run) for run in comparison.runs]
    table = _table(["review", "label", *letters, "begins"], left=1)
    table.columns[-1].justify = "left"
    for review in comparison.dividing:
        chances = [f"{probability:.3f}" for probability in review.probabilities]
        table.add_row(review.id, str(review.label), *chances, escape(review.begins or "–"))
    return table


def _table(heads: Sequence[str], left: int) -> Table:
    table = Table()
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number < left else "right", overflow="fold")
    return table
