"""The report of an evaluation: a page, JSON and CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from commands import made, run
from conftest import Once
from data.helpers import write_json_lines

from imdbclf.data.corpus import text_hashes
from imdbclf.inference.predictor import Predictor

Capture = pytest.CaptureFixture[str]


class Report(NamedTuple):
    """The files of a report, read."""

    page: str
    numbers: dict[str, Any]
    rows: list[dict[str, str]]


def read(page: Path) -> Report:
    rows = list(csv.DictReader(page.with_suffix(".csv").read_text(encoding="utf-8").splitlines()))
    return Report(page.read_text(encoding="utf-8"), json.loads(page.with_suffix(".json").read_text("utf-8")), rows)


@pytest.fixture(scope="session")
def report(once: Once, finished_run: Path, cache_folder: Path) -> Report:
    """The report of a run on its test reviews, where a miss costs five false alarms."""

    def make(folder: Path) -> None:
        folder.mkdir()
        options = ("--report", str(folder / "page.html"), "--false-negative-cost", "5")
        made(cache_folder, "evaluate", str(finished_run), *options)

    return read(once("evaluation-report", make) / "page.html")


def test_page_json_and_csv_say_the_same(report: Report) -> None:
    right = [(float(row["probability"]) > 0.5) == (row["label"] == "1") for row in report.rows]
    assert len(right) == report.numbers["reviews"] == 200
    assert report.numbers["metrics"]["accuracy"]["value"] == pytest.approx(np.mean(right))
    assert f"{100 * np.mean(right):.2f} % of 200 reviews" in report.page
    assert sum(report.numbers["confusion"].values()) == 200
    assert 'href="page.json"' in report.page
    assert 'href="page.csv"' in report.page
    for title in ("Metrics", "Confusion matrix", "Curves", "Thresholds", "Accuracy by group"):
        assert f"<h2>{title}</h2>" in report.page


def test_the_threshold_is_chosen_on_validation_and_its_cost_is_reported(report: Report) -> None:
    threshold = report.numbers["chosen_threshold"]
    assert 0 < threshold < 0.5
    cost = sum(
        (5 if row["label"] == "1" else 1) * ((float(row["probability"]) > threshold) != (row["label"] == "1"))
        for row in report.rows
    )
    assert f"The threshold {threshold:.3f} costs least on the validation reviews of the run" in report.page
    assert [row["cost"] for row in report.numbers["thresholds"] if row["threshold"] == threshold] == [cost]


def test_groups_of_reviews_follow_from_the_rows(report: Report) -> None:
    for column in ("words", "unknown words", "negations"):
        groups = [one for one in report.numbers["slices"] if one["column"] == column]
        assert sum(one["reviews"] for one in groups) == 200
        assert sum(one["right"] for one in groups) == sum(row["right"] == "1" for row in report.rows)
        assert all(row[column] for row in report.rows)
    for doubt in ("repeated", "contradicted"):
        assert report.numbers[doubt] == sum(row[doubt] == "1" for row in report.rows)


@pytest.mark.usefixtures("here")
def test_accuracy_is_shown_by_a_column_of_the_source(
    finished_run: Path, small_files: dict[str, Path], capsys: Capture
) -> None:
    rows = [json.loads(line) for line in small_files["test"].read_text("utf-8").splitlines()]
    genres = [row | {"genre": ("comedy", "<b>drama</b>")[number % 3 > 0]} for number, row in enumerate(rows)]
    write_json_lines(Path("genres.jsonl"), genres)
    options = ("--source", "genres.jsonl", "--report", "page.html", "--by")
    assert run(capsys, "evaluate", str(finished_run), *options, "genre").status == 0
    found = read(Path("page.html"))
    groups = {one["group"]: one["reviews"] for one in found.numbers["slices"] if one["column"] == "column genre"}
    assert groups == {"<b>drama</b>": 133, "comedy": 67}
    names = {f"{text_hashes(pa.array([row['text']]))[0]:016x}": row["genre"] for row in genres}
    assert all(names[row["review"]] == row["column genre"] for row in found.rows)
    assert "b" not in tags_of(found.page).tags
    missing = run(capsys, "evaluate", str(finished_run), *options, "year", "--force")
    assert (missing.status, missing.err.count("\n")) == (2, 1)
    assert "has no column 'year'" in missing.err
    assert read(Path("page.html")) == found


class Tags(HTMLParser):
    """All tags of a page, and the addresses that it would load or open."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]
        assert not [name for name, _ in attrs if name.startswith("on")]


def tags_of(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


def test_the_most_confident_errors_come_first_with_the_effects_of_their_words(
    report: Report, finished_run: Path, small_files: dict[str, Path]
) -> None:
    wrong = {row["review"]: float(row["probability"]) for row in report.rows if row["right"] == "0"}
    confident = sorted(wrong, key=lambda review: -abs(wrong[review] - 0.5))[:10]
    errors = report.numbers["errors"]
    assert [error["review"] for error in errors] == confident
    explain = Predictor.from_checkpoint(finished_run / "checkpoints/best.ckpt").explain
    texts = {json.loads(line)["text"] for line in small_files["test"].read_text("utf-8").splitlines()}
    first = errors[0]["explanation"]
    assert first["text"] in texts
    assert asdict(explain([first["text"]])[0])["words"] == first["words"]
    assert "<h2>Error 1: " in report.page


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x00]]><!-- ${1} {{ 7*7 }} {% raw %} </style>"


@pytest.mark.usefixtures("here")
def test_markup_in_reviews_labels_and_names_is_text(
    finished_run: Path, small_files: dict[str, Path], capsys: Capture
) -> None:
    rows = [json.loads(line) for line in small_files["test"].read_text("utf-8").splitlines()[:20]]
    hostile = [
        {"text": f"{HOSTILE} {number} {row['text']}" + "x" * 3000 * (number == 0), "label": 1 - row["label"]}
        for number, row in enumerate(rows)
    ]
    name = "<b onclick=alert(3)>.jsonl"
    write_json_lines(Path(name), hostile)
    done = run(capsys, "evaluate", str(finished_run), "--source", name, "--report", "a&'b\".html")
    assert (done.status, done.err) == (0, "")
    found = read(Path("a&'b\".html"))
    tags = tags_of(found.page)
    assert not tags.tags & {"script", "b"}
    assert {one.partition(",")[0] for one in tags.addresses if one.startswith("data:")} == {"data:image/svg+xml;base64"}
    assert len(tags.addresses) == 3
    assert "default-src 'none'" in found.page
    assert not set("\u202e\x00") & set(found.page)
    assert all(error["explanation"]["text"].startswith(HOSTILE[:53]) for error in found.numbers["errors"])
    assert len(found.page) < 1_000_000


def test_the_page_is_one_file_without_scripts(report: Report) -> None:
    tags = tags_of(report.page)
    assert not tags.tags & {"script", "link", "iframe"}
    assert {one.partition(",")[0] for one in tags.addresses} == {"page.json", "page.csv", "data:image/svg+xml;base64"}


@pytest.mark.usefixtures("here")
def test_reviews_of_one_class_and_a_checkpoint_without_its_run_have_a_page_too_which_replaces_an_earlier_one(
    report: Report, finished_run: Path, small_files: dict[str, Path], capsys: Capture
) -> None:
    rows = [line for line in small_files["test"].read_text("utf-8").splitlines() if json.loads(line)["label"]]
    Path("one.jsonl").write_text("\n".join(rows), encoding="utf-8")
    Path("copy.ckpt").write_bytes((finished_run / "checkpoints/best.ckpt").read_bytes())
    Path("page.html").write_text(report.page, encoding="utf-8")
    done = run(capsys, "evaluate", "copy.ckpt", "--source", "one.jsonl", "--report", "page.html", "--force")
    assert (done.status, done.err) == (0, "")
    found = read(Path("page.html"))
    assert "No threshold is chosen" in found.page
    assert found.numbers["chosen_threshold"] is None
    assert "auroc" not in found.numbers["metrics"]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("prepare", "options", "message"),
    [
        (None, ("--report", "page.txt"), "--report page.txt: must end in .html"),
        (None, ("--report", "no/page.html"), "--report no/page.html: must be a file in a folder that exists"),
        (
            lambda: Path("page.csv").touch(),
            ("--report", "page.html"),
            "--report page.csv: exists; give --force to replace it, or another name",
        ),
        (
            lambda: Path("page.csv").write_bytes(b"text,label\n"),
            ("--report", "page.html", "--force"),
            "--report page.csv: is no earlier report, so it is not replaced; give another name",
        ),
        (
            None,
            ("--by", "genre"),
            "--by, --false-negative-cost: are for a report; give --report FILE.html with them",
        ),
        (
            None,
            ("--report", "page.html", "--false-negative-cost", "0"),
            "--false-negative-cost 0: must be a number above 0, such as 5",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(
    finished_run: Path,
    capsys: Capture,
    prepare: Callable[[], object] | None,
    options: tuple[str, ...],
    message: str,
) -> None:
    if prepare:
        prepare()
    refused = run(capsys, "evaluate", str(finished_run), *options)
    assert (refused.status, refused.err) == (2, f"error: {message}\n")
    assert not Path("page.html").exists()
