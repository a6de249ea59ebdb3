"""`docs/benchmarks.md`, written whole from the results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks.judging import spread
from benchmarks.results import (
    LINE_BOUND,
    LINE_SIZES,
    MEMORY_BOUND,
    Comparison,
    Growth,
    Results,
    Scaling,
    Size,
    Versions,
    growth,
)
from benchmarks.rows import ROWS

FAR = 10_000_000
"""Reviews that nobody waited for; the lines say how long they would take."""


def page(results: Results) -> str:
    """The whole page."""
    parts = [
        _INTRODUCTION,
        _comparisons(results.rows),
        *([_scaling(results.scaling)] if results.scaling else []),
        _gpu(results.rows),
        _machine(results),
        _fairness(results),
        _commands(results),
        _values(results),
    ]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """\
<!-- Written by `make docs` from benchmarks/results.json; do not edit. -->
# Benchmarks

This project and its peers on the same work, measured side by side on the real reviews. `make bench` measures again and
`make docs` writes this page; every single value is at the end and in `benchmarks/results.json`. Figures are median
(smallest – largest).

![Medians of peer and ours as ratios, and time and memory of a growing corpus](benchmarks.png)"""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def comparison_cells(name: str, row: Comparison) -> list[str]:
    """What a table says of a row: name, work, both sides, ratio, bounds, verdict."""
    about, verdict = ROWS[name], row.verdict(name)
    target = about.target
    return [
        name,
        about.what,
        f"{about.sides[0]}: {spread(row.ours, about.unit)}",
        f"{about.sides[1]}: {spread(row.peer, about.unit)}",
        target.shown(verdict.value),
        target.bound(target.must),
        target.bound(target.aim),
        verdict.words,
    ]


HEADER = ("row", "work", "ours", "peer", "ratio", "must", "aim", "verdict")


def _comparisons(rows: dict[str, Comparison]) -> str:
    text = (
        "## Beside the peers\n\n"
        "The ratio is median peer / median ours where the bound is a least one (≥) or none, median ours / median peer\n"
        "where it is a greatest one (≤; in per cent where it is a share), and a difference where it is in seconds."
    )
    return f"{text}\n\n{table(HEADER, (comparison_cells(name, row) for name, row in rows.items()))}"


def _scaling(scaling: Scaling) -> str:
    encode, epoch = growths(scaling)
    cells = [
        [
            f"{size.reviews:,}",
            f"{size.words:,}",
            spread(size.encode_seconds, "s"),
            f"{encode.microseconds[place]:.0f}",
            spread(size.prepare_seconds, "s"),
            spread(size.epoch_seconds, "s"),
            f"{epoch.microseconds[place]:.0f}",
            spread(size.private_mb, "MB"),
        ]
        for place, size in enumerate(scaling.sizes)
    ]
    header = (
        "reviews", "words", "encoding", "μs a review", "preparing", "one epoch", "μs a review, preparing and epoch",
        "peak private memory",
    )  # fmt: skip
    verdicts = table(("row", "measured", "must", "verdict"), scaling_cells(scaling))
    return f"{_GROWING}\n\n{table(header, cells)}\n\n{verdicts}\n\n{_far(scaling.sizes, encode, epoch)}"


_GROWING = """\
## A growing corpus

The training reviews, repeated; in every copy but the first a seeded tenth of each review's words is replaced by words
drawn by their frequency in the corpus, so that texts differ but the dictionary does not grow without end. One process
encodes a Parquet file into an empty cache; another finds the cache filled, prepares (opens, splits off a fifth, learns
the vocabulary, encodes) and trains one epoch of the lecture's network. Times leave imports out.

Memory is the training process' *private* memory: `RssAnon` of `/proc/PID/status`, looked at every 10 ms. Files mapped
into memory (the cache) count as resident while they are read, but they are the page cache's, which the kernel drops
whenever somebody needs the room; private memory is what the process really holds.

The line is the one with the least sum of squared relative deviations; plain least squares would follow the largest size
wherever it is."""


def growths(scaling: Scaling) -> tuple[Growth, Growth]:
    """How encoding, and how preparing with an epoch, grow."""
    sizes = [size.reviews for size in scaling.sizes]
    encode = growth(sizes, [median(size.encode_seconds) for size in scaling.sizes])
    return encode, growth(sizes, [_train_seconds(size) for size in scaling.sizes])


def _train_seconds(size: Size) -> float:
    return median(size.prepare_seconds) + median(size.epoch_seconds)


def scaling_cells(scaling: Scaling) -> list[list[str]]:
    """The rows that the growing corpus gives: name, what was measured, bound, verdict."""
    first, last = scaling.sizes[0], scaling.sizes[-1]
    cells = []
    for name, found in zip(("scaling_encode", "scaling_train"), growths(scaling), strict=True):
        off = f"{found.largest_size_off:+.1%} off the line (largest at any size: {found.largest_off:+.1%})"
        verdict = _met(abs(found.largest_size_off) <= LINE_BOUND)
        if len(scaling.sizes) < LINE_SIZES:
            verdict = f"needs {LINE_SIZES} sizes"
        cells.append([name, f"{last.reviews:,} reviews {off}", f"≤ {LINE_BOUND:.0%}", verdict])
    ratio = median(last.private_mb) / median(first.private_mb)
    measured = f"{last.reviews:,} reviews: {ratio:.2f}× the peak of {first.reviews:,}"
    return [*cells, ["scaling_memory", measured, f"≤ {MEMORY_BOUND:g}×", _met(ratio <= MEMORY_BOUND)]]


def _met(met: bool) -> str:
    return "must met" if met else "MISSED"


def _far(sizes: Sequence[Size], encode: Growth, epoch: Growth) -> str:
    first, last = sizes[0], sizes[-1]
    slope = (
        0.0 if first is last else (median(last.private_mb) - median(first.private_mb)) / (last.reviews - first.reviews)
    )
    memory = median(last.private_mb) + max(slope, 0) * (FAR - last.reviews)
    return (
        f"By these lines {FAR:,} reviews would be encoded in {encode.line.at(FAR) / 60:.0f} minutes "
        f"({encode.line.slope * 1e6:.0f} μs for each further review), prepared and trained on for an epoch in "
        f"{epoch.line.at(FAR) / 60:.1f} minutes ({epoch.line.slope * 1e6:.0f} μs), with a peak of "
        f"{memory / 1e3:.1f} GB of private memory. That is an extrapolation; nobody has measured it."
    )


def _gpu(rows: dict[str, Comparison]) -> str:
    known = "lecture_fit_gpu" in rows
    said = "see the row lecture_fit_gpu." if known else "unmeasured: the results hold no figures of a GPU."
    return f'## On a GPU\n\n`make bench ARGS="--only lecture_fit --accelerator gpu"` measures the fit there; {said}'


def _machine(results: Results) -> str:
    machine = results.machine
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB memory, {machine['system']}.",
        *(_version_line(versions, names) for versions, names in _by_versions(results)),
    ]
    return "## Machine and versions\n\n" + "\n\n".join(lines)


def _version_line(versions: Versions, names: list[str]) -> str:
    sides = [
        f"{side}: " + ", ".join(f"{package} {version}" for package, version in versions[key].items())
        for side, key in (("Ours", "ours"), ("Peers", "peers"))
    ]
    return f"Rows {', '.join(names)}. " + ". ".join(sides) + "."


def _by_versions(results: Results) -> list[tuple[Versions, list[str]]]:
    measured: dict[str, Comparison | Scaling] = dict(results.rows)
    if results.scaling:
        measured["scaling"] = results.scaling
    groups: list[tuple[Versions, list[str]]] = []
    for name, row in measured.items():
        same = next((names for versions, names in groups if versions == row.versions), None)
        if same is None:
            groups.append((row.versions, [name]))
        else:
            same.append(name)
    return groups


def _fairness(results: Results) -> str:
    lines = [f"- **{name}**: {ROWS[name].fair}" for name in results.rows]
    return f"{_HOW}\n\n" + "\n".join(lines)


_HOW = """\
## How each row is run

Every repetition starts each run once, in a process of its own, ours and the peer's in turn, so that a machine that
slows down does so for both; short commands follow two more times. Both sides have all cores. Everything is read from
the disk once before anything is timed."""


def _commands(results: Results) -> str:
    commands: dict[str, list[str]] = {}
    measured = {name: row.commands for name, row in results.rows.items()}
    if results.scaling:
        measured["scaling"] = results.scaling.commands
    for name, row_commands in measured.items():
        for command in row_commands:
            commands.setdefault(command, []).append(name)
    lines = [f"# {', '.join(names)}\n{command}" for command, names in commands.items()]
    return f"{_PLACES}\n\n```bash\n" + "\n".join(lines) + "\n```"


_PLACES = """\
## Commands

DATA is the folder that IMDBCLF_DATA names, WORK a temporary folder, EMPTY a new one each time, RESULT a file for the
figures of a process; IMDBCLF_CACHE and HF_HOME lie in WORK unless the
line says otherwise, and PYTHONPATH names the checkout. `make bench` runs all of them."""


def _values(results: Results) -> str:
    lines = [
        [name, row.date, side, ", ".join(f"{value:.4g}" for value in values), ROWS[name].unit]
        for name, row in results.rows.items()
        for side, values in (("ours", row.ours), ("peer", row.peer))
    ]
    if results.scaling:
        lines += [
            [f"scaling {size.reviews:,}", results.scaling.date, what, ", ".join(f"{v:.4g}" for v in values), unit]
            for size in results.scaling.sizes
            for what, values, unit in (
                ("encoding", size.encode_seconds, "s"),
                ("preparing", size.prepare_seconds, "s"),
                ("epoch", size.epoch_seconds, "s"),
                ("private memory", size.private_mb, "MB"),
            )
        ]
    return f"## Single values\n\n{table(('row', 'date', 'what', 'values', 'unit'), lines)}"
