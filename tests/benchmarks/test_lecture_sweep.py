from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import docs
from benchmarks.command import read_json
from benchmarks.lecture_sweep import PLOTS, keep
from imdbclf.folders.sweep import SweepFolder
from imdbclf.reports.statistics import FEWEST, half_width, holm_where_tested, paired_p

AXES = ["model.layers", "model.hidden", "loss", "model.activation"]
Values = npt.NDArray[np.float64]


def _accuracies(rows: list[dict[str, str]]) -> dict[tuple[str, ...], Values]:
    found: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for row in rows:
        found[tuple(row[axis] for axis in AXES)][row["seed"]] = float(row["val/accuracy"])
    return {key: np.array([by_seed[seed] for seed in sorted(by_seed, key=int)]) for key, by_seed in found.items()}


def _effects(rows: list[dict[str, str]], accuracy: dict[tuple[str, ...], Values]) -> list[Values]:
    """The mean difference of each seed, of each value from the first of its axis."""
    differences = []
    for place, axis in enumerate(AXES):
        first, *others = dict.fromkeys(row[axis] for row in rows)
        for value in others:
            cells = [(key, (*key[:place], first, *key[place + 1 :])) for key in accuracy if key[place] == value]
            differences.append(np.mean([accuracy[one] - accuracy[other] for one, other in cells], axis=0))
    return differences


def _figure(values: Values, sign: str = "") -> str:
    text = f"{100 * values.mean():{sign}.2f} ± {100 * (half_width(values) or 0):.2f}".replace("-", "−")
    return re.sub(r"^[+−]0\.00", "0.00", text)


def test_every_statement_of_the_page_follows_from_its_table() -> None:
    with docs.LECTURE_SWEEP.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    page = (docs.DOCS / "lecture-sweep.md").read_text(encoding="utf-8")
    accuracy = _accuracies(rows)
    best = max(accuracy, key=lambda key: accuracy[key].mean())
    p = holm_where_tested([paired_p(accuracy[best], values) for key, values in accuracy.items() if key != best])
    test = np.array([float(row["test/accuracy"]) for row in rows if row["test/accuracy"]])
    assert f"{_figure(accuracy[best])} %" in page
    assert f"{sum(value is None or value >= 0.05 for value in p)} of {len(p)} other configurations" in page
    for difference in _effects(rows, accuracy):
        assert f"{_figure(difference, '+')} points" in page
        assert f"| {_figure(difference, '+')} |" in page
    assert f"{_figure(test)} %" in page
    seeds = len(test)
    assert {len(values) for values in accuracy.values()} == {seeds}
    assert seeds >= FEWEST
    assert f"36 configurations, {seeds} seeds each: {36 * seeds} fits" in page
    # The only path from the root is an example; none is of the machine that it was measured on.
    assert set(re.findall(r"(?<![\w.])/\w+/", re.sub("<!--.*?-->", "", page))) == {"/data/"}


def test_table_and_plots_are_kept_with_their_hashes(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    folder.path.mkdir()
    folder.table.write_text("folder,status\n", encoding="utf-8")
    for name in PLOTS:
        (folder.path / f"{name}.png").write_bytes(name.encode())
    keep(folder, {"date": "2026-01-02"}, tmp_path, tmp_path)
    about = read_json(tmp_path / "lecture_sweep.json")
    assert (tmp_path / "lecture-sweep-cost.png").read_bytes() == b"cost"
    assert about["date"] == "2026-01-02"
    assert list(about["sha256"]) == ["lecture_sweep.csv", *(f"lecture-sweep-{name}.png" for name in PLOTS)]
