"""`make docs` writes what was measured into pages and plots; `--check` checks that they say it."""

from __future__ import annotations

import argparse
import hashlib
from typing import Any

import numpy as np

from benchmarks import rungs
from benchmarks.command import MEASURED, ROOT, ending_in_one_line, read_json
from benchmarks.pages import JUDGING, TEMPLATES, is_plot_of, rewritten, save_plot
from benchmarks.rows import RESULTS, read_results
from benchmarks.rungs import PEERS, RUNGS, composed
from imdbclf.errors import UserError
from imdbclf.reports.statistics import SIGNIFICANCE, holm_where_tested, paired_p
from imdbclf.reports.sweep.conclusions import conclusions_of
from imdbclf.reports.sweep.job_table import read_table
from imdbclf.storage import atomic_write

DOCS = ROOT / "docs"
LOW = 0.88
"""Below it a network of the lecture's is called inaccurate."""
LECTURE_SWEEP = MEASURED / "lecture_sweep.csv"
PAGES = [(ROOT if file.stem == "README" else DOCS) / f"{file.stem}.md" for file in sorted(TEMPLATES.glob("*.jinja"))]
"""One for each template."""

PLOT_NAMES = ("benchmarks", "ladder", "performance", "validation", "search", "seeds", "swing")
"""Plots of docs/; each shows what was measured under its name."""


def measured() -> dict[str, Any]:
    """What the plots show and the templates know, by name.

    Raises:
        UserError: if nothing was measured.
    """
    results = read_results()
    if results is None:
        msg = f"benchmarks/{RESULTS.name}: does not exist; run: make bench"
        raise UserError(msg)
    found = {file.stem: read_json(file) for file in MEASURED.glob("*.json")}
    return {**found, "benchmarks": results, "swing": found["seeds"].pop("steps")}


def context_of(found: dict[str, Any]) -> dict[str, Any]:
    """What the templates know: what was measured, and what follows from it."""
    rows, ladder = read_table(LECTURE_SWEEP), found["ladder"]
    return {
        "found": found,
        **JUDGING,
        "RUNGS": RUNGS,
        "PEERS": PEERS,
        "SIGNIFICANCE": SIGNIFICANCE,
        "changed_settings": rungs.changed_settings,
        "differences": rungs.differences,
        "is_shown": rungs.is_shown,
        "step_p": rungs.p_values(ladder),
        "validation_p": validation_p(found["validation"]["accuracy"]),
        "best_so_far": lambda sampler: np.maximum.accumulate(found["search"]["searches"][sampler], axis=1).T,
        **seeds_context(found),
        "paired_p": paired_p,
        "minus": np.subtract,
        "conclusions": conclusions_of(rows, list(rows[0].choices)),
    }


def seeds_context(found: dict[str, Any]) -> dict[str, Any]:
    """What follows from the seeds of the lecture's final fit, and from the steps of its last epoch."""
    final, averaged = (
        np.array(found["seeds"]["options"][name]["test/accuracy"]) for name in ("lecture_final", "averaged")
    )
    accuracy, positive = (np.array(found["swing"][name]) for name in ("accuracy", "positive"))
    low = accuracy < LOW
    return {
        "averaged_gain": (averaged - final).tolist(),
        "averaged_p": paired_p(averaged, final),
        "swing_of": {
            "within": accuracy.std(axis=1, ddof=1).mean(),
            "between": accuracy.std(axis=0, ddof=1).mean(),
            "low": low.mean(),
            "last_low": int(low[:, -1].sum()),
            "correlation": float(np.corrcoef(accuracy.ravel(), np.abs(positive - 0.5).ravel())[0, 1]),
        },
    }


def validation_p(accuracy: dict[str, dict[str, list[float]]]) -> dict[str, float | None]:
    """The p values of four questions, adjusted for being four.

    By split: are validation and test equal? By part: do both splits give the same?
    """
    null, film = ({part: np.array(each) for part, each in accuracy[split].items()} for split in ("null", "film"))
    pairs = {split: (each["val"], each["test"]) for split, each in (("null", null), ("film", film))}
    pairs |= {part: (null[part], film[part]) for part in ("val", "test")}
    return dict(zip(pairs, holm_where_tested([paired_p(*pair) for pair in pairs.values()]), strict=True))


def write() -> None:
    """Write all pages, and the plots of what has changed."""
    found = measured()
    context = context_of(found)
    for page in PAGES:
        with atomic_write(page) as aside:
            aside.write_text(rewritten(page, context), encoding="utf-8")
    # It takes a second to import, which checking does without.
    from benchmarks.plots import PLOTS  # noqa: PLC0415

    for name, draw in PLOTS.items():
        if not is_plot_of(DOCS / f"{name}.png", found[name]):
            save_plot(draw(found[name]), DOCS / f"{name}.png", found[name])


def check() -> None:
    """Check that pages and plots show what was measured, and that the recipes are as they were then.

    Raises:
        UserError: naming those that do not, and the command to run.
    """
    found = measured()
    context = context_of(found)
    stale = [page.name for page in PAGES if page.read_text(encoding="utf-8") != rewritten(page, context)]
    stale += [f"{name}.png" for name in PLOT_NAMES if not is_plot_of(DOCS / f"{name}.png", found[name])]
    if stale:
        msg = f"{', '.join(stale)}: not what was measured (benchmarks/*.json); run: make docs"
        raise UserError(msg)
    for name, expected in found["lecture_sweep"]["sha256"].items():
        file = LECTURE_SWEEP if name == LECTURE_SWEEP.name else DOCS / name
        if hashlib.sha256(file.read_bytes()).hexdigest() != expected:
            msg = f"{name}: is not of the sweep in lecture_sweep.json; run: make lecture-sweep"
            raise UserError(msg)
    for rung in RUNGS:
        # The other rungs are recipes with overrides.
        if rung.name in found["ladder"]["rungs"] and len(rung.command) == 1:
            then = found["ladder"]["rungs"][rung.name]["settings"]
            rungs.refuse_other_settings(rung.name, then, composed(rung.command))


@ending_in_one_line
def main() -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file differs")
    if parser.parse_args().check:
        check()
    else:
        write()


if __name__ == "__main__":
    main()
