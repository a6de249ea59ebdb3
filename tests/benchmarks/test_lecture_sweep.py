from __future__ import annotations

import csv
import re
from collections import defaultdict
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from benchmarks.lecture_sweep import main, timed
from benchmarks.lecture_sweep_page import IN_REPOSITORY, PICTURES, Kept, check, write
from imdbclf.errors import UserError
from imdbclf.folders.sweep import SweepFolder
from imdbclf.reports.sweep.conclusions import conclusions_of
from imdbclf.reports.sweep.job_table import JobRow, write_table
from imdbclf.storage import write_json

AXES = {"model.layers": "123", "loss": ("bce", "mse"), "model.activation": ("relu", "tanh")}
ABOUT = {
    "date": "2026-01-02",
    "command": "imdbclf train -m sweep=lecture",
    "attempts": [{"jobs": 60, "seconds": 120.0}],
    "machine": {"processor": "A processor", "cores": 2, "memory_gb": 8, "system": "Linux 6"},
    "versions": {"python": "3.11.7"},
}


def _rows() -> list[JobRow]:
    random = np.random.default_rng(0)
    rows = []
    for number, (*values, seed) in enumerate(product(*AXES.values(), "01234")):
        choices = dict(zip(AXES, values, strict=True))
        better = 0.004 * (choices["loss"] == "bce") + 0.01 * (choices["model.layers"] == "2")
        accuracy = 0.87 + better + 0.002 * int(seed) + random.normal(0, 0.002)
        figures = {"val/accuracy": accuracy, "val/loss": 0.3, "test/accuracy": accuracy - 0.01, "parameters": 160_305}
        rows.append(JobRow(f"run-{number}", "done", choices, seed, figures))
    return rows


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    folder = SweepFolder(tmp_path / "sweep")
    folder.path.mkdir()
    write_table(conclusions_of(_rows(), list(AXES)).rows, [*AXES, "seed"], folder.table)
    for name in PICTURES:
        (folder.path / f"{name}.png").write_bytes(name.encode())
    (tmp_path / "docs").mkdir()
    kept = Kept(tmp_path / "lecture_sweep.csv", tmp_path / "docs" / "lecture-sweep.md")
    kept.take(folder, ABOUT)
    write(kept)
    return kept


def _sentences(table: Path) -> list[str]:
    """What the page must say, computed from the table by NumPy and SciPy alone."""
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    head = list(rows[0])
    axes = [name for name in head[2 : head.index("val/loss")] if name != "seed"]
    seeds = sorted({row["seed"] for row in rows})
    found: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for row in rows:
        found[tuple(row[axis] for axis in axes)][row["seed"]] = float(row["val/accuracy"])
    accuracy = {key: np.array([by_seed[seed] for seed in seeds]) for key, by_seed in found.items()}
    best = max(accuracy, key=lambda key: accuracy[key].mean())
    said = [f"(accuracy {_figure(accuracy[best])} %, {len(seeds)} seeds)."]

    others = [values for key, values in accuracy.items() if key != best]
    p = _holm([stats.ttest_rel(accuracy[best], values).pvalue for values in others])
    alike, count = sum(value >= 0.05 for value in p), len(others)
    some = f"{alike} of the {count} other configurations {'is' if alike == 1 else 'are'} not significantly worse."
    ends = {0: f"All of the {count} other configurations", count: f"None of the {count} other configurations"}
    said.append(ends.get(alike, some))

    differences = []
    for place, axis in enumerate(axes):
        first, *rest = dict.fromkeys(row[axis] for row in rows)
        for value in rest:
            cells = [(key, (*key[:place], first, *key[place + 1 :])) for key in accuracy if key[place] == value]
            differences.append(np.mean([accuracy[one] - accuracy[other] for one, other in cells], axis=0))
    p = _holm([stats.ttest_1samp(values, 0).pvalue for values in differences])
    for values, adjusted in zip(differences, p, strict=True):
        shown = _figure(values, sign="+").replace("-", "−")
        shown = re.sub(r"^[+−]0\.00", "0.00", shown)
        said.append(f"{shown} points (p" if adjusted < 0.05 else f"{shown} points, not significant")

    test = np.array([float(row["test/accuracy"]) for row in rows if tuple(row[axis] for axis in axes) == best])
    said.append(f"Test accuracy of this configuration: {_figure(test)} %.")
    assert all(not row["test/accuracy"] for row in rows if tuple(row[axis] for axis in axes) != best)
    return said


def _figure(values: npt.NDArray[np.float64], sign: str = "") -> str:
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    return f"{100 * values.mean():{sign}.2f} ± {50 * (high - low):.2f}"


def _holm(p: list[float]) -> list[float]:
    adjusted, highest = [0.0] * len(p), 0.0
    for rank, place in enumerate(np.argsort(p)):
        highest = max(highest, (len(p) - rank) * p[place])
        adjusted[place] = min(highest, 1.0)
    return adjusted


def test_every_statement_of_the_page_follows_from_its_table(kept: Kept) -> None:
    page = kept.page.read_text(encoding="utf-8")
    said = _sentences(kept.table)
    assert len(said) == 2 + 4 + 1
    for sentence in said:
        assert sentence in page
    assert "12 configurations, 5 seeds each: 60 fits." in page
    assert "The 60 fits, with test, picture, predictions and report, took 120 s (2.00 s a fit, two at a time)." in page


@pytest.mark.skipif(not IN_REPOSITORY.is_measured, reason="the lecture's sweep is not measured yet")
def test_so_it_does_in_the_docs() -> None:
    page = IN_REPOSITORY.page.read_text(encoding="utf-8")
    for sentence in _sentences(IN_REPOSITORY.table):
        assert sentence in page
    assert "36 configurations, 5 seeds each: 180 fits." in page
    # Of paths that begin at the root there is the example alone, and none of the machine that it was measured on.
    assert set(re.findall(r"(?<![\w.])/\w+/", page)) == {"/data/"}


def test_what_was_just_written_passes_the_check(kept: Kept) -> None:
    check(kept)


def test_an_edited_page_fails_the_check(kept: Kept) -> None:
    kept.page.write_text(kept.page.read_text(encoding="utf-8").replace("60 fits", "61 fits"), encoding="utf-8")
    with pytest.raises(UserError, match=r"lecture-sweep\.md: differs .* run: make docs"):
        check(kept)


def test_an_edited_table_and_a_picture_of_another_sweep_fail_the_check(kept: Kept) -> None:
    kept.picture("cost").write_bytes(b"another")
    with pytest.raises(UserError, match=r"lecture-sweep-cost\.png: is not of the sweep"):
        check(kept)
    kept.table.write_text(kept.table.read_text(encoding="utf-8").replace("0.3,", "0.2,"), encoding="utf-8")
    with pytest.raises(UserError, match=r"lecture_sweep\.csv: is not of the sweep"):
        check(kept)


def test_until_it_is_measured_the_page_says_so(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "lecture_sweep.csv", tmp_path / "lecture-sweep.md")
    write(kept)
    assert "Not measured yet: `make lecture-sweep`" in kept.page.read_text(encoding="utf-8")
    check(kept)


def test_time_that_nobody_took_is_not_said(kept: Kept) -> None:
    about = kept.read()[1]
    write_json(kept.about, about | {"attempts": [{"jobs": 20, "seconds": 40.0}, {"jobs": 30, "seconds": 60.0}]})
    write(kept)
    assert "Of the 60 fits the 50 that were timed, with" in kept.page.read_text(encoding="utf-8")
    write_json(kept.about, about | {"attempts": []})
    write(kept)
    assert "is not known" in kept.page.read_text(encoding="utf-8")


def test_another_sweep_never_takes_the_place_of_the_lectures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["lecture_sweep", "model.hidden=16"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err == "error: model.hidden=16: another sweep than the lecture's needs --into FOLDER\n"


def test_attempts_at_other_jobs_do_not_count() -> None:
    attempts = [
        {"runs": ["old"], "seconds": 9.0},
        {"runs": ["a", "b"], "seconds": 3.0},
        {"runs": ["c"], "seconds": 2.0},
    ]
    assert timed(attempts, {"a", "b", "c"}) == [{"jobs": 2, "seconds": 3.0}, {"jobs": 1, "seconds": 2.0}]
