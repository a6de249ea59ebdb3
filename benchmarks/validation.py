"""What validation says beside what the test says: of a split by chance, and of one that keeps films together.

`python -m benchmarks.validation ACLIMDB_FOLDER` runs the lecture's network over five seeds with each split, through
the real command line, into benchmarks/validation.json and docs/validation.md. The folder is the unpacked original
archive: only it says which film a review is about.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.failing import failing_in_one_line
from benchmarks.machine import machine, our_versions
from benchmarks.markers import refuse_stale, rewrite, with_part
from benchmarks.our_command import train_many
from benchmarks.page import table
from benchmarks.paths import ROOT, VALIDATION, VALIDATION_PAGE, VALIDATION_PICTURE
from imdbclf.folders.sweep import SweepFolder
from imdbclf.reports.statistics import SIGNIFICANCE, half_width, holm_where_tested, paired_p
from imdbclf.storage import atomic_write, write_json

SEEDS = range(5)
SPLITS = {"null": "split by chance", "film": "films kept together"}
"""The values of `data.group` that are compared, in words."""

PARTS = {"val": "validation", "test": "test"}
COLOURS = {"null": "#dc2626", "film": "#2563eb"}

Found = dict[str, Any]
"""`accuracy`: by split and part (`val`, `test`), for each seed a share; `seen`: by split, for each seed the share of
validation reviews whose film has training reviews, too; `films`: of the 25,000; `versions`; `machine`."""


def measure(folder: Path) -> Found:
    """Run the two sweeps, and look at what the splits divide."""
    with tempfile.TemporaryDirectory(prefix="imdbclf-validation-") as name:
        sweep = SweepFolder(Path(name) / "sweep")
        train_many(
            "experiment=lecture",
            f'data.source="{folder.resolve()}"',
            f"data.group={','.join(SPLITS)}",
            f"seed=range({SEEDS.start},{SEEDS.stop})",
            f"hydra.sweep.dir={sweep.path}",
        )
        accuracy = _accuracies(sweep)
    return {"machine": machine(), "versions": our_versions(), "accuracy": accuracy, **_films(folder)}


def _accuracies(sweep: SweepFolder) -> dict[str, dict[str, list[float]]]:
    metrics = [json.loads(sweep.run(job).metrics.read_text(encoding="utf-8")) for job in sweep.read().jobs]
    of = {(each["group"] or "null", each["seed"]): each for each in metrics}
    return {
        split: {part: [float(of[split, seed][f"{part}/accuracy"]) for seed in SEEDS] for part in PARTS}
        for split in SPLITS
    }


def _films(folder: Path) -> Found:
    """How many films there are, and which share of the validation reviews is about one that is trained on, too."""
    # Here, since checking does without.
    from imdbclf.data.load import load_corpus  # noqa: PLC0415
    from imdbclf.data.split import joined, split_rows  # noqa: PLC0415
    from imdbclf.settings import DataSettings  # noqa: PLC0415

    settings = DataSettings(source=str(folder), group="film")
    train = load_corpus(settings).corpus.parts["train"]
    films = np.asarray(train.groups)
    seen = {}
    for split, units in {"null": train.sequences, "film": joined(train.sequences, films)}.items():
        parts = [split_rows(units, int(settings.val_size), seed) for seed in SEEDS]
        seen[split] = [float(np.isin(films[val], films[rows]).mean()) for rows, val in parts]
    return {"films": len(np.unique(films)), "seen": seen}


def points(found: Found, split: str, part: str) -> npt.NDArray[np.float64]:
    """The accuracy of each seed in per cent, shape (seeds,)."""
    return 100 * np.array(found["accuracy"][split][part])


def comparison(found: Found) -> str:
    """The table, and what it says."""
    p = adjusted(found)
    rows = []
    for split, words in SPLITS.items():
        val, test = (points(found, split, part) for part in PARTS)
        cells = [_figure(val), _figure(test), _figure(val - test, sign="+"), _digits(p[split])]
        rows.append([f"{words} (`data.group={split}`)", *cells, f"{100 * np.mean(found['seen'][split]):.1f} %"])
    header = (
        "split",
        "validation accuracy, %",
        "test accuracy, %",
        "validation − test, points",
        "p",
        "validation reviews whose film is trained on",
    )
    return f"{table(header, rows)}\n\n{_said(found, p)}"


def adjusted(found: Found) -> dict[str, float | None]:
    """The p values of the four questions, adjusted for being four.

    By split: are validation and test the same? By part: do both splits give the same?
    """
    pairs = {split: [points(found, split, part) for part in PARTS] for split in SPLITS}
    pairs |= {part: [points(found, split, part) for split in SPLITS] for part in PARTS}
    return dict(zip(pairs, holm_where_tested([paired_p(*pair) for pair in pairs.values()]), strict=True))


def _said(found: Found, p: dict[str, float | None]) -> str:
    above = {split: points(found, split, "val") - points(found, split, "test") for split in SPLITS}
    moved = {part: points(found, "film", part) - points(found, "null", part) for part in PARTS}
    moves = " and ".join(
        f"{words} accuracy by {_figure(moved[part], sign='+')} points ({_verdict(p[part])})"
        for part, words in PARTS.items()
    )
    return (
        f"Over {len(SEEDS)} seeds validation minus test is {_figure(above['null'], sign='+')} points where chance "
        f"splits ({_verdict(p['null'])}), and {_figure(above['film'], sign='+')} where the {found['films']:,} films "
        f"are kept together ({_verdict(p['film'])}). Keeping them together moves {moves}."
    )


def _figure(values: npt.NDArray[np.float64], sign: str = "") -> str:
    return f"{values.mean():{sign}.2f} ± {half_width(values) or 0:.2f}".replace("-", "−")


def _verdict(p: float | None) -> str:
    shown = "a difference" if p is not None and p < SIGNIFICANCE else "not shown to be a difference"
    return f"{shown}, p = {_digits(p)}"


def _digits(p: float | None) -> str:
    return "–" if p is None else f"{p:.3f}".lstrip("0")


def with_comparison(page: str, found: Found) -> str:
    """The page with what stands between its markers written anew.

    Raises:
        UserError: if a marker is missing.
    """
    return with_part(page, "validation", comparison(found), VALIDATION_PAGE.name)


def write(found: Found) -> None:
    """Write table and picture."""
    rewrite(VALIDATION_PAGE, lambda page: with_comparison(page, found))
    draw(found, VALIDATION_PICTURE)


def check() -> None:
    """See that the page says what was measured.

    Raises:
        UserError: naming the command that mends it.
    """
    found = read()
    refuse_stale(VALIDATION_PAGE, lambda page: with_comparison(page, found), VALIDATION)


def read() -> Found:
    """What was measured last."""
    found: Found = json.loads(VALIDATION.read_text(encoding="utf-8"))
    return found


def draw(found: Found, path: Path) -> None:
    """Validation beside test, a line a seed, with mean and 95 % interval; one panel a split (PNG)."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - checking does without

    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    for axes, (split, words) in zip(figure.subplots(1, len(SPLITS), sharey=True), SPLITS.items(), strict=True):
        both = np.array([points(found, split, part) for part in PARTS])
        axes.plot([0, 1], both, "o-", color=COLOURS[split], alpha=0.35, markersize=4, linewidth=1)
        halves = [half_width(values) or 0 for values in both]
        places = np.array([-0.12, 1.12])
        axes.errorbar(places, both.mean(axis=1), halves, fmt="D", color=COLOURS[split], capsize=4, markersize=6)
        axes.set(title=words, xticks=[0, 1], xticklabels=PARTS.values(), xlim=(-0.4, 1.4))
        axes.grid(axis="y", alpha=0.25)
    figure.axes[0].set_ylabel("accuracy, %")
    figure.supxlabel(f"a line a seed; diamonds: mean and 95 % interval over {len(SEEDS)} seeds", fontsize=9)
    with atomic_write(path) as aside:
        figure.savefig(aside, format="png", dpi=100)


@failing_in_one_line
def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validation", description=__doc__)
    parser.add_argument("folder", type=Path, help="the unpacked aclImdb archive")
    found = measure(parser.parse_args().folder)
    write_json(VALIDATION, found)
    write(found)
    print(f"Written: {VALIDATION.relative_to(ROOT)}, {VALIDATION_PAGE.relative_to(ROOT)}")  # noqa: T201


if __name__ == "__main__":
    main()
