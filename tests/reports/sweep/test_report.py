"""The whole report: its files, the page, the console, and the corners of what a sweep can be."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from commands import run

from imdbclf.folders.run import RunFolder
from imdbclf.folders.sweep import Sweep, SweepFolder, SweepJob
from imdbclf.reports.labels import percent
from imdbclf.reports.page import Section, TextTable
from imdbclf.reports.statistics import half_width
from imdbclf.reports.sweep import report
from imdbclf.reports.sweep.conclusions import Conclusions, conclusions_of
from imdbclf.reports.sweep.job_table import collect, read_table
from imdbclf.reports.sweep.report import SECTIONS, write_sweep_report
from reports.sweep.helpers import LECTURE, Chosen, State, lecture_accuracy, mostly, write_sweep

Capture = pytest.CaptureFixture[str]

FILES = ["cost.png", "curves.png", "effects.png", "epochs.csv", "runs", "sweep.csv", "sweep.html", "sweep.json"]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> SweepFolder:
    """A sweep whose report has been written; tests only read it, or write it again."""
    folder = write_sweep(tmp_path_factory.mktemp("sweeps") / "lecture", LECTURE, mostly)
    write_sweep_report(folder)
    return folder


@pytest.fixture
def conclusions(sweep: SweepFolder) -> Conclusions:
    """What the folders of that sweep say."""
    return conclusions_from(sweep)


def conclusions_from(folder: SweepFolder) -> Conclusions:
    """What the run folders say, without a report."""
    asked = folder.read()
    return conclusions_of(collect(folder, asked).rows, asked.compared)


def table_of(folder: SweepFolder) -> list[dict[str, str]]:
    with folder.table.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_report_is_these_files_and_nothing_half_written(sweep: SweepFolder) -> None:
    assert sorted(path.name for path in sweep.path.iterdir()) == FILES
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in sweep.path.glob("*.png"))


def test_the_csv_gives_the_conclusions_of_the_folders(sweep: SweepFolder, conclusions: Conclusions) -> None:
    assert conclusions_of(read_table(sweep.table), sweep.read().compared) == conclusions


def test_test_metrics_are_there_for_the_best_configuration_alone(sweep: SweepFolder, conclusions: Conclusions) -> None:
    assert conclusions.best is not None
    chosen = tuple(conclusions.best.choices.values())
    with_test = {
        (row["model.layers"], row["loss"]) for row in table_of(sweep) if row["test/accuracy"] or row["test/loss"]
    }
    assert with_test == {chosen}
    tested = conclusions.best.values("test/accuracy")
    value = percent(float(tested.mean()), half_width(tested))
    assert conclusions.sentences[0].endswith(f"; test accuracy {value}.")


def test_test_metrics_change_nothing_but_themselves(tmp_path: Path, conclusions: Conclusions) -> None:
    folder = write_sweep(tmp_path, LECTURE, mostly)
    for number, job in enumerate(folder.read().jobs):
        run_folder = folder.run(job)
        if run_folder.metrics.exists():
            metrics = json.loads(run_folder.metrics.read_text(encoding="utf-8"))
            run_folder.metrics.write_text(json.dumps(metrics | {"test/accuracy": number / 100}), encoding="utf-8")
    other = conclusions_from(folder)
    assert [one.label for one in other.configurations] == [one.label for one in conclusions.configurations]
    assert other.effects == conclusions.effects
    assert (other.sentences[1:], other.details) == (conclusions.sentences[1:], conclusions.details)


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


def page_of(folder: SweepFolder) -> Tags:
    return Tags(folder.page.read_text(encoding="utf-8"))


def test_the_page_needs_no_other_file_and_describes_its_plots(sweep: SweepFolder, conclusions: Conclusions) -> None:
    page = page_of(sweep)
    plots = page.of("img")
    assert len(plots) == 3
    assert all(str(plot["src"]).startswith("data:image/svg+xml;base64,") and plot["alt"] for plot in plots)
    assert not [tag for tag, _ in page.tags if tag in {"script", "link", "iframe"}]
    assert "://" not in re.sub(r"base64,[^\"]*", "", sweep.page.read_text(encoding="utf-8"))
    assert any(meta.get("name") == "viewport" for meta in page.of("meta"))
    for sentence in conclusions.sentences:
        assert sentence in page.text
    behind_a_click = page.text.split("Tests and corrections")[1]
    assert [one for one in conclusions.details if one in behind_a_click] == conclusions.details
    assert page.of("details") == [{}]


def test_the_same_runs_give_the_same_report_byte_for_byte(sweep: SweepFolder) -> None:
    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sweep.path.iterdir() if path.is_file()}

    before = contents()
    write_sweep_report(sweep)
    assert contents() == before


def test_texts_of_runs_and_commands_are_escaped_on_the_page(tmp_path: Path) -> None:
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
    assert page_of(folder).text.count(evil) >= 4


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
    assert write_sweep_report(folder).conclusions.sentences
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
    assert write_sweep_report(folder).conclusions.best is None
    assert not any(row["test/accuracy"] for row in table_of(folder))


def test_plots_of_an_earlier_report_are_removed_and_other_files_stay(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path, {"seed": [0]}, nothing_done)
    (tmp_path / "effects.png").touch()
    (tmp_path / "mine.png").touch()
    write_sweep_report(folder)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["mine.png"]


def test_a_function_in_the_list_of_sections_adds_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_sweep(tmp_path, {"seed": [0]}, lambda _: 0.88)
    weather = Section("The weather", ["It rained."], TextTable(["day"], [["a|b"]]), notes=["Measured."])
    monkeypatch.setattr(report, "SECTIONS", [*SECTIONS, lambda results: weather if results.epochs else None])
    write_sweep_report(folder)
    page = folder.page.read_text(encoding="utf-8")
    assert "<h2>The weather</h2>\n<p>It rained.</p>" in page
    assert '<td class="text">a|b</td>' in page
    assert '<p class="note">Measured.</p>' in page


def test_the_command_writes_the_report_and_prints_the_conclusions(sweep: SweepFolder, capsys: Capture) -> None:
    result = run(capsys, "sweep-report", str(sweep.path))
    assert (result.status, result.err) == (0, "")
    assert "Best on validation: 1 layer, mse (accuracy 89.03 ± 2.41 %, 3 seeds), 0.03 points ahead" in result.out
    assert "Not significantly worse" not in result.out
    assert "sweep.html, with tests and corrections\n" in result.out
    assert "89.00 ± 2.48 %" in result.out
    assert "failed: 010_model.layers=2_loss=mse_seed=1: out of memory" in result.out
    assert "Reviews:  a drawn sample\n" in result.out
    assert "sweep.html" in result.out


def test_a_folder_that_is_not_a_sweeps_is_refused_in_one_line(tmp_path: Path, capsys: Capture) -> None:
    result = run(capsys, "sweep-report", str(tmp_path))
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert "is not the folder of a sweep" in result.err


def test_a_sweep_with_nothing_done_is_no_error(tmp_path: Path, capsys: Capture) -> None:
    folder = write_sweep(tmp_path, LECTURE, nothing_done)
    for _ in range(2):
        result = run(capsys, "sweep-report", str(folder.path))
        assert result.status == 0
        assert "No job is done yet" in result.out
        assert "unfinished: 000_model.layers=1_loss=bce_seed=0\n" in result.out
        assert "Reviews:  no run is finished\n" in result.out
        # A handler that stays would print each line twice.
        assert result.out.count("Report: ") == 1


def test_of_many_configurations_the_best_are_printed_and_the_others_counted(tmp_path: Path, capsys: Capture) -> None:
    def accuracy(chosen: Chosen) -> float:
        return 0.5 + float(chosen["model.hidden"]) / 100

    folder = write_sweep(tmp_path, {"model.hidden": list(range(1, 21))}, accuracy)
    out = run(capsys, "sweep-report", str(folder.path)).out
    lines = [line for line in out.splitlines() if line.startswith("│")]
    assert len(lines) == 15
    assert "70.00 %" in lines[0]
    assert "… and 5 more in the report" in out
