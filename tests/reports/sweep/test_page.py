"""The whole report: its files, its numbers computed again from the CSV, and the corners of what a sweep can be."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import run
from scipy import stats

from imdbclf.folders.run import RunFolder
from imdbclf.folders.sweep import Sweep, SweepFolder, SweepJob
from imdbclf.reports.labels import p_text, percent, signed
from imdbclf.reports.sweep.conclusions import Conclusions, conclusions_of
from imdbclf.reports.sweep.job_table import collect, read_table
from imdbclf.reports.sweep.page import write_sweep_report
from imdbclf.reports.sweep.sections import Section, TextTable
from reports.sweep.helpers import LECTURE, Chosen, State, lecture_accuracy, write_sweep

Capture = pytest.CaptureFixture[str]
Accuracies = dict[tuple[str, str], dict[str, float]]
"""Validation accuracy by layers and loss, then by seed."""

FILES = [
    "cost.png",
    "curves.png",
    "effects.png",
    "epochs.csv",
    "runs",
    "sweep.csv",
    "sweep.html",
    "sweep.json",
    "sweep.md",
]


def mostly(chosen: Chosen) -> State:
    """A seed of one configuration failed."""
    return "failed" if chosen == {"model.layers": 2, "loss": "mse", "seed": 1} else lecture_accuracy(chosen)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> SweepFolder:
    """A sweep whose report has been written; tests only read it, or write it again."""
    folder = write_sweep(tmp_path_factory.mktemp("sweeps") / "lecture", LECTURE, mostly)
    write_sweep_report(folder)
    return folder


@pytest.fixture
def conclusions(sweep: SweepFolder) -> Conclusions:
    """What the folders of that sweep say."""
    return found_in(sweep)


def found_in(folder: SweepFolder) -> Conclusions:
    """What is found in the run folders, without a report of it."""
    asked = folder.read()
    return conclusions_of(collect(folder, asked).rows, asked.compared)


def table_of(folder: SweepFolder) -> list[dict[str, str]]:
    with folder.table.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_report_is_these_files_and_nothing_half_written(sweep: SweepFolder) -> None:
    assert sorted(path.name for path in sweep.path.iterdir()) == FILES


def holm_by_hand(p_values: list[float]) -> list[float]:
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.minimum(1, np.maximum.accumulate(np.array(p_values)[order] * factors))
    adjusted = np.empty(len(p_values))
    adjusted[order] = stepped
    return [float(p) for p in adjusted]


def half_by_hand(values: list[float]) -> float:
    return float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)


def accuracies_of(rows: list[dict[str, str]]) -> Accuracies:
    found: Accuracies = defaultdict(dict)
    for row in rows:
        if row["status"] == "done":
            found[row["model.layers"], row["loss"]][row["seed"]] = float(row["val/accuracy"])
    return found


def test_every_number_on_configurations_follows_from_the_csv_alone(
    sweep: SweepFolder, conclusions: Conclusions
) -> None:
    found = accuracies_of(table_of(sweep))
    complete = {key: seeds for key, seeds in found.items() if len(seeds) == 3}
    best = max(complete, key=lambda key: np.mean(list(complete[key].values())))
    others, raw = [key for key in found if key != best], []
    for key in others:
        shared = [seed for seed in found[best] if seed in found[key]]
        first, second = ([found[one][seed] for seed in shared] for one in (best, key))
        raw.append(float(stats.ttest_rel(first, second).pvalue))
    expected = dict(zip(others, holm_by_hand(raw), strict=True))
    assert {tuple(one.configuration.choices.values()): one.p for one in conclusions.comparisons} == pytest.approx(
        expected
    )
    alike = sum(p >= 0.05 for p in expected.values())
    mean, half = float(np.mean(list(found[best].values()))), half_by_hand(list(found[best].values()))
    text = sweep.text.read_text(encoding="utf-8")
    assert f"Best on validation: {best[0]} layer, {best[1]} (accuracy {percent(mean, half)}, 3 seeds)." in text
    verb = "is" if alike == 1 else "are"
    assert f"{alike} of the 3 other configurations {verb} not significantly worse." in text
    for key, seeds in found.items():
        row = f"| {key[0]} | {key[1]} | {len(seeds)} | "
        row += percent(float(np.mean(list(seeds.values()))), half_by_hand(list(seeds.values())))
        assert row in text


def test_every_number_on_effects_follows_from_the_csv_alone(sweep: SweepFolder) -> None:
    found, text = accuracies_of(table_of(sweep)), sweep.text.read_text(encoding="utf-8")
    effects: dict[str, tuple[list[float], list[float]]] = {}
    pairs = {
        "layers": [((other, loss), ("1", loss)) for other, loss in product("2", ("bce", "mse"))],
        "loss": [((layers, "mse"), (layers, "bce")) for layers in "12"],
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
    for (axis, (first, second)), p in zip(effects.items(), holm_by_hand(raw), strict=True):
        differences = list(np.subtract(first, second))
        points = signed(float(np.mean(differences)), half_by_hand(differences))
        shown = p_text(p).removeprefix("p ").removeprefix("= ").replace("<", "\\<")
        values = {"layers": "2 | 1", "loss": "mse | bce"}[axis]
        assert f"| {axis} | {values} | {points} | {shown} |" in text
        assert points in text.split("## Configurations")[0]


def test_what_is_found_in_the_csv_is_what_was_found_in_the_folders(
    sweep: SweepFolder, conclusions: Conclusions
) -> None:
    assert conclusions_of(read_table(sweep.table), sweep.read().compared) == conclusions


def test_test_metrics_are_there_for_what_was_selected_alone(sweep: SweepFolder, conclusions: Conclusions) -> None:
    assert conclusions.best is not None
    chosen = tuple(conclusions.best.choices.values())
    with_test = {
        (row["model.layers"], row["loss"]) for row in table_of(sweep) if row["test/accuracy"] or row["test/loss"]
    }
    assert with_test == {chosen}
    tested = [float(row["test/accuracy"]) for row in table_of(sweep) if row["test/accuracy"]]
    value = percent(float(np.mean(tested)), half_by_hand(tested))
    assert f"Test accuracy of this configuration: {value}." in conclusions.sentences


def test_test_metrics_change_nothing_but_themselves(tmp_path: Path, conclusions: Conclusions) -> None:
    folder = write_sweep(tmp_path, LECTURE, mostly)
    for number, job in enumerate(folder.read().jobs):
        run_folder = folder.run(job)
        if run_folder.metrics.exists():
            metrics = json.loads(run_folder.metrics.read_text(encoding="utf-8"))
            run_folder.metrics.write_text(json.dumps(metrics | {"test/accuracy": number / 100}), encoding="utf-8")
    other = found_in(folder)
    assert [one.label for one in other.configurations] == [one.label for one in conclusions.configurations]
    assert other.effects == conclusions.effects
    assert other.sentences[:-2] == conclusions.sentences[:-2]


class Tags(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def test_the_page_needs_no_other_file_and_says_what_its_plots_show(
    sweep: SweepFolder, conclusions: Conclusions
) -> None:
    page = Tags(sweep.page.read_text(encoding="utf-8"))
    plots = page.of("img")
    assert len(plots) == 3
    assert all(str(plot["src"]).startswith("data:image/svg+xml;base64,") and plot["alt"] for plot in plots)
    assert not [tag for tag, _ in page.tags if tag in {"script", "link", "iframe"}]
    assert "http" not in re.sub(r"base64,[^\"]*", "", sweep.page.read_text(encoding="utf-8"))
    assert any(meta.get("name") == "viewport" for meta in page.of("meta"))
    for sentence in conclusions.sentences:
        assert sentence in page.text


def test_the_markdown_names_plots_that_are_there(sweep: SweepFolder) -> None:
    named = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", sweep.text.read_text(encoding="utf-8"))
    assert named == ["effects.png", "curves.png", "cost.png"]
    assert all((sweep.path / name).read_bytes().startswith(b"\x89PNG") for name in named)


def test_the_same_runs_give_the_same_report_byte_for_byte(sweep: SweepFolder) -> None:
    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sweep.path.iterdir() if path.is_file()}

    before = contents()
    write_sweep_report(sweep)
    assert contents() == before


def test_what_a_run_or_a_command_says_can_not_become_part_of_the_page(tmp_path: Path) -> None:
    evil = '<script>alert("|")</script>'
    folder = SweepFolder(tmp_path)
    jobs = [SweepJob("good", [], {"data.train": evil}), SweepJob("bad", [], {"data.train": "x"})]
    folder.write(Sweep(evil, evil, ["data.train"], jobs))
    made = write_sweep(tmp_path / "other", {"seed": [0]}, lambda _: 0.88)
    folder.runs.mkdir()
    made.run(made.read().jobs[0]).path.rename(folder.runs / "good")
    (folder.runs / "bad").mkdir()
    RunFolder(folder.runs / "bad").failure.write_text(json.dumps({"error": evil}), encoding="utf-8")
    write_sweep_report(folder)
    assert "<script" not in folder.page.read_text(encoding="utf-8")
    outside_of_code = folder.text.read_text(encoding="utf-8").replace(f"```bash\n{evil}\n```", "")
    assert not re.search(r"(?<!\\)<script", outside_of_code)
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in outside_of_code.splitlines() if "bad" in line}
    assert widths == {4}


def nothing_done(_: Chosen) -> State:
    return "unfinished"


@pytest.mark.parametrize(
    ("axes", "state"),
    [
        ({"seed": [0]}, lecture_accuracy),
        ({"model.hidden": [16, [32, 16]], "seed": [0, 1]}, lecture_accuracy),
        ({"optimizer.lr": [0.001, 0.01]}, lecture_accuracy),
        (LECTURE, nothing_done),
    ],
    ids=["one job", "a list as a value", "no seeds", "nothing done"],
)
def test_every_sweep_has_a_report(tmp_path: Path, axes: dict[str, Any], state: Any) -> None:
    def accuracy(chosen: Chosen) -> State:
        filled = {"model.layers": 1, "loss": "bce", "seed": 0} | chosen
        return state(filled)  # type: ignore[no-any-return]

    folder = write_sweep(tmp_path, axes, accuracy)
    report = write_sweep_report(folder)
    assert report.conclusions.sentences
    assert folder.page.exists()


def test_a_sweep_without_axes_has_a_report(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    folder.write(Sweep("lecture", "imdbclf train", [], [SweepJob("one", [], {})]))
    assert write_sweep_report(folder).conclusions.sentences == [
        "No job is done yet, so there is nothing to compare.",
        "Not finished: 1 unfinished of 1 job.",
    ]


def test_a_run_without_validation_has_a_report(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path, {"loss": ["bce", "mse"]}, lambda _: 0.88, **{"val/accuracy": None, "val/loss": None})
    conclusions = write_sweep_report(folder).conclusions
    assert conclusions.best is None
    assert not any(row["test/accuracy"] for row in table_of(folder))


def test_plots_of_an_earlier_report_that_are_no_longer_so_are_gone(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path, {"seed": [0]}, nothing_done)
    (tmp_path / "effects.png").touch()
    (tmp_path / "mine.png").touch()
    write_sweep_report(folder)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["mine.png"]


def test_another_module_can_add_a_section(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path, {"seed": [0]}, lambda _: 0.88)
    write_sweep_report(folder, [Section("The search", ["12 trials."], TextTable(["trial"], [["a|b"]]))])
    assert "## The search\n\n12 trials.\n\n| trial |\n| --- |\n| a\\|b |\n" in folder.text.read_text(encoding="utf-8")
    assert "<h2>The search</h2>" in folder.page.read_text(encoding="utf-8")


def test_the_command_writes_and_says_the_report(sweep: SweepFolder, capsys: Capture) -> None:
    result = run(capsys, "sweep-report", str(sweep.path))
    assert (result.status, result.err) == (0, "")
    assert "Best on validation: 1 layer, mse (accuracy 89.03 ± 2.41 %, 3 seeds).\n" in result.out
    assert "89.00 ± 2.48 %" in result.out
    assert "failed: 010_model.layers=2_loss=mse_seed=1: out of memory" in result.out
    assert "sweep.html" in result.out


def test_a_folder_that_is_no_sweeps_is_refused_in_one_line(tmp_path: Path, capsys: Capture) -> None:
    result = run(capsys, "sweep-report", str(tmp_path))
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert "is not the folder of a sweep" in result.err


def test_a_sweep_with_nothing_done_is_no_error(tmp_path: Path, capsys: Capture) -> None:
    result = run(capsys, "sweep-report", str(write_sweep(tmp_path, LECTURE, nothing_done).path))
    assert result.status == 0
    assert "No job is done yet" in result.out


def test_real_runs_have_a_report(tmp_path: Path, small: list[str], capsys: Capture) -> None:
    folder, jobs = SweepFolder(tmp_path), []
    for loss, seed in product(("bce", "mse"), (0, 1)):
        name = f"{loss}_{seed}"
        assert (
            run(capsys, "train", *small, f"loss={loss}", f"seed={seed}", f"hydra.run.dir={folder.runs / name}").status
            == 0
        )
        jobs.append(SweepJob(name, [f"loss={loss}", f"seed={seed}"], {"loss": loss, "seed": seed}))
    folder.write(Sweep("small", "imdbclf train -m loss=bce,mse seed=0,1", ["loss", "seed"], jobs))
    conclusions = write_sweep_report(folder).conclusions
    assert [row.status for row in conclusions.rows] == ["done"] * 4
    assert conclusions.sentences[0].startswith("Best on validation: ")
    assert len(conclusions.effects) == 1
