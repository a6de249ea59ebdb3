"""The sections of a report: their numbers computed again from the CSV, and when there is none."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from imdbclf.folders.sweep import Sweep, SweepFolder
from imdbclf.reports.labels import p_cell, percent, signed
from imdbclf.reports.page import Section
from imdbclf.reports.sweep.conclusions import ONE_SEED, conclusions_of
from imdbclf.reports.sweep.job_table import JobRow, collect, read_table, write_table
from imdbclf.reports.sweep.sections import (
    SweepResults,
    configurations_section,
    cost_section,
    curves_section,
    effects_section,
    unfinished_section,
)
from reports.sweep.helpers import LECTURE, grid, job, mostly, write_sweep

Accuracies = dict[tuple[str, str], dict[str, float]]
"""Validation accuracy by layers and loss, then by seed."""


def results_of(rows: Sequence[JobRow], **search: str) -> SweepResults:
    """The results of those rows, as of a grid or of a search."""
    axes = list(rows[0].choices)
    conclusions = conclusions_of(rows, axes, search.get("monitor"))
    return SweepResults(SweepFolder(Path()), Sweep("lecture", "", axes, [], dict(search)), conclusions)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `sweep.csv` of a sweep with a failed job."""
    folder = write_sweep(tmp_path_factory.mktemp("sweeps") / "lecture", LECTURE, mostly)
    write_table(collect(folder, folder.read()).rows, list(LECTURE), folder.table)
    return folder.table


@pytest.fixture
def results(kept: Path) -> SweepResults:
    """What that table says."""
    return results_of(read_table(kept))


def holm_by_hand(p_values: list[float]) -> list[float]:
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.minimum(1, np.maximum.accumulate(np.array(p_values)[order] * factors))
    adjusted = np.empty(len(p_values))
    adjusted[order] = stepped
    return [float(p) for p in adjusted]


def half_by_hand(values: list[float]) -> float:
    return float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)


def accuracies_of(table: Path) -> Accuracies:
    found: Accuracies = defaultdict(dict)
    with table.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["status"] == "done":
                found[row["model.layers"], row["loss"]][row["seed"]] = float(row["val/accuracy"])
    return found


def cells_of(section: Section | None) -> list[list[str]]:
    assert section is not None
    assert section.table is not None
    return [list(row) for row in section.table.rows]


def test_every_number_on_configurations_follows_from_the_csv_alone(kept: Path, results: SweepResults) -> None:
    found = accuracies_of(kept)
    complete = {key: seeds for key, seeds in found.items() if len(seeds) == 3}
    best = max(complete, key=lambda key: np.mean(list(complete[key].values())))
    others, raw, behind = [key for key in found if key != best], [], []
    for key in others:
        common = [seed for seed in found[best] if seed in found[key]]
        first, second = ([found[one][seed] for seed in common] for one in (best, key))
        raw.append(float(stats.ttest_rel(first, second).pvalue))
        differences = list(np.subtract(first, second))
        behind.append(signed(float(np.mean(differences)), half_by_hand(differences)).lstrip("+"))
    p = holm_by_hand(raw)
    expected = [[*best, "3", "–", "–", "–"]]
    expected += [
        [*key, f"{len(found[key])}", points, p_cell(alone), p_cell(value)]
        for key, points, alone, value in zip(others, behind, raw, p, strict=True)
    ]
    rows = cells_of(configurations_section(results))
    assert sorted([*row[:3], *row[4:7]] for row in rows) == sorted(expected)
    assert [row[3] for row in rows] == [
        percent(float(np.mean(list(seeds.values()))), half_by_hand(list(seeds.values())))
        for seeds in (found[row[0], row[1]] for row in rows)
    ]
    mean, half = float(np.mean(list(found[best].values()))), half_by_hand(list(found[best].values()))
    assert (
        f"Best on validation: {best[0]} layer, {best[1]} (accuracy {percent(mean, half)}, 3 seeds)"
        in results.conclusions.sentences[0]
    )
    assert [value >= 0.05 for value in p].count(True) == 1
    assert "Not significantly worse: 1 of 3 other configurations." in results.conclusions.details


def test_every_number_on_effects_follows_from_the_csv_alone(kept: Path, results: SweepResults) -> None:
    found = accuracies_of(kept)
    effects: dict[tuple[str, str, str], tuple[list[float], list[float]]] = {}
    pairs = {
        ("layers", "2", "1"): [(("2", loss), ("1", loss)) for loss in ("bce", "mse")],
        ("loss", "mse", "bce"): [((layers, "mse"), (layers, "bce")) for layers in "12"],
    }
    for axis, cells in pairs.items():
        matched = [[(a, b) for a, b in cells if seed in found[a] and seed in found[b]] for seed in "012"]
        means = [
            [
                float(np.mean([found[pair[side]][seed] for pair in of_seed]))
                for seed, of_seed in zip("012", matched, strict=True)
            ]
            for side in (0, 1)
        ]
        effects[axis] = (means[0], means[1])
    raw = [float(stats.ttest_rel(*means).pvalue) for means in effects.values()]
    expected = []
    for (axis, (first, second)), alone, value in zip(effects.items(), raw, holm_by_hand(raw), strict=True):
        differences = list(np.subtract(first, second))
        points = signed(float(np.mean(differences)), half_by_hand(differences))
        expected.append([*axis, points, p_cell(alone), p_cell(value), "2", "3 seeds"])
        assert any(points in sentence for sentence in results.conclusions.details)
    assert cells_of(effects_section(results)) == expected


def test_a_job_that_is_not_done_is_listed_with_its_reason(results: SweepResults) -> None:
    assert cells_of(unfinished_section(results)) == [["010_model.layers=2_loss=mse_seed=1", "failed", "out of memory"]]


def test_a_sweep_without_anything_to_show_has_no_such_section() -> None:
    nothing = results_of([job({"loss": "bce"}, accuracy=None)])
    assert [
        section(nothing) for section in (configurations_section, effects_section, curves_section, cost_section)
    ] == [None] * 4
    assert unfinished_section(results_of([job({"loss": "bce"})])) is None


@pytest.mark.parametrize(("monitor", "order"), [("val/loss", "loss"), ("val/accuracy", "accuracy")])
def test_the_notes_say_what_a_search_is_ordered_by(monitor: str, order: str) -> None:
    rows = grid({"loss": ["bce", "mse"], "seed": ["0"]}, lambda _: 0.8)
    section = configurations_section(results_of(rows, monitor=monitor))
    assert section is not None
    assert section.notes[0].startswith(f"Ordered by validation {order}, which the search optimised.")


def test_the_notes_say_what_one_seed_and_missing_seeds_mean() -> None:
    rows = grid({"loss": ["bce", "mse"], "seed": ["0", "1"]}, lambda _: 0.8)
    for part, note in ((rows[::2], ONE_SEED), (rows[:3], "Configurations with fewer seeds come last")):
        section = configurations_section(results_of(part))
        assert section is not None
        assert note in " ".join(section.notes)
    one, two = (effects_section(results_of(part)) for part in (rows[::2], rows))
    assert one is not None
    assert two is not None
    assert "With one seed the interval is over cells:" in one.notes[1]
    assert len(two.notes) == 1


def test_without_validation_the_table_has_the_spread_of_a_single_configuration_and_no_dashes() -> None:
    def table_of(rows: Sequence[JobRow]) -> list[list[str]]:
        section = configurations_section(results_of(rows))
        assert section is not None
        assert section.table is not None
        assert section.text[0].startswith("There is no validation part.")
        return [[*section.table.heads], *(list(row) for row in section.table.rows)]

    rows = [
        JobRow(
            f"{loss}{seed}",
            "done",
            {"loss": loss},
            seed,
            {"test/accuracy": accuracy, "parameters": 7, "fit_seconds": 2},
        )
        for loss in ("bce", "mse")
        for seed, accuracy in (("0", 0.8), ("1", 0.9))
    ]
    known = ["loss", "seeds", "parameters", "seconds per fit"]
    assert table_of(rows) == [known, ["bce", "2", "7", "2.00"], ["mse", "2", "7", "2.00"]]
    assert table_of(rows[:1]) == [[*known, "test accuracy"], ["bce", "1", "7", "2.00", "80.00 %"]]
    spread = ["smallest", "largest", "standard deviation, points"]
    heads, row = table_of(rows[:2])
    assert heads == [*known, "test accuracy", *spread]
    assert row[5:] == ["80.00 %", "90.00 %", "7.07"]
