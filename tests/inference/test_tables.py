"""Predictions for files with columns keep the rows and columns."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pytest
from commands import run
from pyarrow import parquet

from imdbclf.errors import UserError
from imdbclf.inference.predictor import Prediction
from imdbclf.inference.tables import read_table, write_table
from imdbclf.settings import SourceSettings

ROWS = [
    {"id": "007", "text": 'A "great",\nwonderful best excellent perfect', "stars": "5"},
    {"id": "8", "text": "worst awful, terrible waste boring", "stars": "1"},
    {"id": "9", "text": "NA", "stars": ""},
]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(params=[".csv", ".tsv", ".jsonl", ".json", ".parquet"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path: Path = tmp_path / f"reviews{request.param}"
    if path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(ROWS), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(ROWS), encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(ROWS[0]), delimiter="," if path.suffix == ".csv" else "\t")
            writer.writeheader()
            writer.writerows(ROWS)
    return path


def rows_of(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".parquet":
        return list(parquet.read_table(path).to_pylist())
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_texts_of_a_table_are_classified_not_its_lines(finished_run: Path, file: Path, capsys: Capture) -> None:
    lines = run(capsys, "predict", str(finished_run), "--file", str(file), "--json").out.splitlines()
    assert [json.loads(line)["text"] for line in lines] == [row["text"] for row in ROWS]


@pytest.mark.parametrize("end", [".csv", ".jsonl", ".parquet"])
def test_the_output_has_all_columns_label_and_probability(
    finished_run: Path, tmp_path: Path, capsys: Capture, end: str
) -> None:
    source, output = tmp_path / "reviews.jsonl", tmp_path / f"out{end}"
    source.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    result = run(capsys, "predict", str(finished_run), "--file", str(source), "--output", str(output))
    assert (result.status, result.out) == (0, f"{output}: 3 rows with the columns label and probability\n")
    written = rows_of(output)
    assert [{name: row[name] for name in ROWS[0]} for row in written] == ROWS
    assert [row["label"] for row in written[:2]] == ["pos", "neg"]
    assert float(str(written[0]["probability"])) > 0.5
    assert sorted(tmp_path.iterdir()) == sorted([source, output])


def test_nested_values_are_kept_as_json(finished_run: Path, tmp_path: Path, capsys: Capture) -> None:
    source, output = tmp_path / "reviews.jsonl", tmp_path / "out.csv"
    rows = [{"text": "great", "votes": {"up": 3}, "tags": ["a", "ü"]}, {"text": "awful", "votes": {}, "tags": None}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(capsys, "predict", str(finished_run), "--file", str(source), "--output", str(output)).status == 0
    assert [(row["votes"], row["tags"]) for row in rows_of(output)] == [('{"up": 3}', '["a", "ü"]'), ("{}", "")]


def test_a_file_is_replaced_only_with_force(finished_run: Path, tmp_path: Path, capsys: Capture) -> None:
    output = tmp_path / "out.csv"
    output.write_text("mine")
    arguments = ("predict", str(finished_run), "great", "--output", str(output))
    result = run(capsys, *arguments)
    assert (result.status, output.read_text()) == (2, "mine")
    assert result.err == f"error: --output {output}: exists; give --force to replace it, or another name\n"
    assert run(capsys, *arguments, "--force").status == 0
    assert rows_of(output)[0]["text"] == "great"


def test_evaluate_replaces_a_picture_only_with_force(finished_run: Path, tmp_path: Path, capsys: Capture) -> None:
    plot = tmp_path / "mine.png"
    plot.write_text("mine")
    result = run(capsys, "evaluate", str(finished_run), "--picture", str(plot))
    assert (result.status, plot.read_text()) == (2, "mine")
    assert "give --force to replace it" in result.err


def test_another_name_is_found_for_a_column_that_the_file_has(tmp_path: Path) -> None:
    table = pa.table({"text": ["a"], "label": ["x"]})
    assert write_table(tmp_path / "out.jsonl", table, [Prediction("pos", 0.75, 1)]) == [
        "predicted_label",
        "probability",
    ]
    assert rows_of(tmp_path / "out.jsonl") == [
        {"text": "a", "label": "x", "predicted_label": "pos", "probability": 0.75}
    ]


def test_what_a_format_cannot_hold_is_refused_and_no_file_is_left(tmp_path: Path) -> None:
    table = pa.table({"text": ["a"], "parts": [[1, 2]], "time": [b"\xff"]})
    for end in (".csv", ".jsonl"):
        with pytest.raises(UserError, match=r"cannot hold these columns .*\.parquet$"):
            write_table(tmp_path / f"out{end}", table, [Prediction("pos", 0.75, 1)])
    assert not list(tmp_path.iterdir())


def test_a_wrong_column_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("review,stars\ngood,5\n")
    with pytest.raises(UserError, match=r"has no column 'text'; data\.text_column must be one of review, stars"):
        read_table(tmp_path / "a.csv", SourceSettings(text_column="text"))
    assert read_table(tmp_path / "a.csv", SourceSettings(text_column="review"))[1] == ["good"]


def test_a_row_without_a_text_has_an_empty_one_and_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "good"}\n{"text": null}\n')
    assert read_table(tmp_path / "a.jsonl", SourceSettings())[1] == ["good", ""]
    assert "line 2 has an empty text" in caplog.text


@pytest.mark.parametrize(("name", "message"), [("out.xlsx", "must end in"), ("nowhere/out.csv", "in a folder that")])
def test_a_place_that_cannot_be_written_is_refused_first(
    tmp_path: Path, capsys: Capture, name: str, message: str
) -> None:
    result = run(capsys, "predict", "no.ckpt", "x", "--output", str(tmp_path / name))
    assert result.status == 2
    assert message in result.err
