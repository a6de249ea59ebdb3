"""The comparison of runs on the console."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from imdbclf.console import console
from imdbclf.reports.compare.comparison import Difference, RunComparison
from imdbclf.reports.labels import number_of, p_cell, p_text, percent, signed

CAUTION = (
    "This compares networks, not settings: another seed gives other networks. To compare settings, run both with "
    "several seeds (imdbclf train -m … 'seed=range(5)')."
)


def print_comparison(comparison: RunComparison) -> None:
    """A row for each run, a sentence for each difference, and the reviews on which the runs differ most."""
    out = console()
    for name, run in zip(_short_names(comparison), comparison.runs, strict=True):
        out.print(f"{name}  {run.run}", markup=False, soft_wrap=True)
    out.print(_runs_table(comparison))
    for name, difference in zip(_short_names(comparison)[1:], comparison.differences, strict=True):
        sentence = _difference_sentence(name, difference, is_adjusted=len(comparison.differences) > 1)
        out.print(sentence, markup=False, soft_wrap=True)
    if comparison.dividing:
        out.print(f"\nThe largest differences among {number_of(comparison.reviews, 'test review')}:")
        out.print(_dividing_table(comparison))
    if comparison.note:
        out.print(f"({comparison.note})", markup=False, soft_wrap=True)
    out.print(f"\n{CAUTION}", markup=False, soft_wrap=True)


def _short_names(comparison: RunComparison) -> list[str]:
    """A, B, …, Z, AA, and so on."""
    return [_short_name(number) for number in range(1, len(comparison.runs) + 1)]


def _short_name(number: int) -> str:
    rest, letter = divmod(number - 1, 26)
    return (_short_name(rest) if rest else "") + chr(ord("A") + letter)


def _difference_sentence(name: str, difference: Difference, *, is_adjusted: bool) -> str:
    low, high = (signed(end) for end in difference.interval)
    points = f"{name} − A: {signed(difference.difference)} points (95 % interval {low} to {high})"
    found = "significant" if difference.is_significant else "not significant"
    return f"{points}, {found} ({p_text(difference.p_holm)}{', Holm' if is_adjusted else ''})."


def _runs_table(comparison: RunComparison) -> Table:
    heads = ["", "accuracy", "95 % interval", "minus A, points", "only A right", "only this right", "p"]
    table = _table(heads, text_columns=1)
    by_run = {difference.run: difference for difference in comparison.differences}
    for name, run in zip(_short_names(comparison), comparison.runs, strict=True):
        low, high = run.interval
        cells = [name, percent(run.accuracy), f"{percent(low)} – {percent(high)}"]
        if difference := by_run.get(run.run):
            cells += [
                signed(difference.difference),
                f"{difference.only_first_right:,}",
                f"{difference.only_this_right:,}",
                p_cell(difference.p_holm),
            ]
        table.add_row(*cells)
    return table


def _dividing_table(comparison: RunComparison) -> Table:
    table = _table(["review", "label", *_short_names(comparison), "first words"], text_columns=1)
    table.columns[-1].justify = "left"
    for review in comparison.dividing:
        probabilities = [f"{probability:.3f}" for probability in review.probabilities]
        table.add_row(review.id, str(review.label), *probabilities, escape(review.begins or "–"))
    return table


def _table(heads: Sequence[str], text_columns: int) -> Table:
    table = Table()
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number < text_columns else "right", overflow="fold")
    return table
