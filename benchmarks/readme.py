"""The README's figures of speed, between two markers."""

from __future__ import annotations

from statistics import median

from benchmarks.markers import markers, with_part
from benchmarks.page import table
from benchmarks.results import Comparison, Results, Scaling
from benchmarks.rows import ROWS

PART = "benchmarks"
BEGIN, END = markers(PART)


def with_figures(readme: str, results: Results) -> str:
    """The README with what stands between the markers written anew.

    Raises:
        UserError: if there is not one of each marker, in their order.
    """
    return with_part(readme, PART, figures(results), "README.md")


def figures(results: Results) -> str:
    """A few lines of a table; rows that were not measured are left out."""
    lines = [
        [what, template.format(*(_ratio(name, results.rows[name]) for name in names))]
        for what, template, names in _LINES
        if all(name in results.rows for name in names)
    ]
    if results.scaling:
        lines.append(_growth(results.scaling))
    return table((f"on {results.machine['cores']} cores", "medians of runs side by side"), lines)


_LINES = (
    (
        "the lecture's fit: 20 epochs, validation, two checkpoints, live progress",
        "**{} times** as fast as Keras' `fit`; {} times the time of a plain torch loop without any of it",
        ("lecture_fit", "plain_loop"),
    ),
    (
        "the whole command, start to exit",
        "**{} times** as fast as the same steps in Keras ({} times with nothing cached), in 1/{} of the memory",
        ("command_cached", "command_first", "command_memory"),
    ),
    ("25,000 texts to multi-hot rows", "**{} times** as fast as scikit-learn's `CountVectorizer`", ("encode",)),
    (
        "texts to probabilities",
        "**{} times** as fast as scikit-learn for 25,000, {} times for one",
        ("predict_many", "predict_one"),
    ),
    (
        "the lecture's 36 networks, compared: `imdbclf train -m sweep=lecture`",
        "**{} times** as fast as Keras' fits alone, one after the other (36, by the time of two), {} times with two "
        "processes; everything besides the fits takes {} of their time",
        ("sweep_one_process", "sweep_two_processes", "sweep_overhead"),
    ),
)


def _ratio(name: str, row: Comparison) -> str:
    value = row.verdict(name).value
    return f"{value:.0%}" if ROWS[name].target.kind == "share" else f"{value:.1f}"


def _growth(scaling: Scaling) -> list[str]:
    first, last = scaling.sizes[0], scaling.sizes[-1]
    memory = median(last.private_mb) / median(first.private_mb)
    each = (median(last.encode_seconds) / last.reviews) / (median(first.encode_seconds) / first.reviews)
    return [
        f"{last.reviews:,} reviews instead of {first.reviews:,}",
        f"{memory:.2f} times the memory in training, {each:.2f} times the time a review in encoding",
    ]
