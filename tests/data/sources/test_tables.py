from __future__ import annotations

import gzip
import json
import logging
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from data.helpers import table, write_json_lines
from imdbclf.data.sources.tables import data_files, read_files
from imdbclf.errors import UserError
from imdbclf.settings import SourceSettings

DEFAULTS = SourceSettings()
ROWS: list[dict[str, Any]] = [{"text": "a", "label": "neg"}, {"text": "b", "label": "pos"}]


def read(path: Path, content: str | pa.Table) -> list[dict[str, Any]]:
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    else:
        parquet.write_table(content, path)
    rows: list[dict[str, Any]] = read_files([path], DEFAULTS).to_pylist()
    return rows


def refusal(path: Path, content: str | pa.Table) -> str:
    with pytest.raises(UserError) as error:
        read(path, content)
    return str(error.value).replace(str(path), path.name)


@pytest.mark.parametrize("suffix", ["json", "jsonl", "ndjson"])
@pytest.mark.parametrize(
    "content", [json.dumps(ROWS, indent=1), "\n".join(map(json.dumps, ROWS))], ids=["array", "lines"]
)
def test_json_is_an_array_or_has_an_object_a_line(suffix: str, content: str, tmp_path: Path) -> None:
    assert read(tmp_path / f"a.{suffix}", content) == ROWS


@pytest.mark.parametrize("value", ["null", "5", '"text"', "[]", "NaN"])
def test_a_line_that_is_no_object_is_named(value: str, tmp_path: Path) -> None:
    content = f"{json.dumps(ROWS[0])}\n\n{value}\n"
    assert refusal(tmp_path / "a.jsonl", content) == (
        f"a.jsonl: line 3 is no object, but {value}; each review must be an object"
    )
    assert refusal(tmp_path / "a.json", f"[{json.dumps(ROWS[0])}, {value}]").startswith(
        f"a.json: row 2 is no object, but {value}"
    )


@pytest.mark.parametrize("line", ["[" * 20_000, '{"a": ' * 20_000, '{"text": ' + "[" * 20_000 + "]" * 20_000 + "}"])
def test_values_that_are_nested_deeply_end_in_one_line(line: str, tmp_path: Path) -> None:
    assert "nested too deeply" in refusal(tmp_path / "a.jsonl", line)
    assert "nested too deeply" in refusal(tmp_path / "b.jsonl", f"{json.dumps(ROWS[0])}\n{line}\n")


def test_a_number_of_many_digits_ends_in_one_line(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.jsonl", '{"text": "a", "label": ' + "1" * 5_000 + "}").startswith("a.jsonl: ")


def test_half_a_character_ends_in_one_line(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.jsonl", r'{"text": "\ud800", "label": 1}').startswith("a.jsonl: ")


@pytest.mark.parametrize("name", ["text", "label"])
def test_a_cell_that_is_no_single_value_is_named(name: str, tmp_path: Path) -> None:
    content = "".join(json.dumps(row) + "\n" for row in (*ROWS, ROWS[0] | {name: ["x"]}))
    assert refusal(tmp_path / "a.jsonl", content).startswith(f'a.jsonl: line 3: {name} is ["x"], which is no ')


def test_a_text_that_is_a_number_is_named(tmp_path: Path) -> None:
    assert "line 1: text is 5" in refusal(tmp_path / "a.jsonl", '{"text": 5, "label": 1}')


def test_other_columns_may_hold_anything(tmp_path: Path) -> None:
    rows = [ROWS[0] | {"more": [1, {"a": 2}]}, ROWS[1] | {"more": 5}]
    assert [row["text"] for row in read(tmp_path / "a.json", json.dumps(rows))] == ["a", "b"]


def test_labels_of_several_types_are_texts(tmp_path: Path) -> None:
    content = "".join(json.dumps({"text": "a", "label": label}) + "\n" for label in (0, "1", True))
    assert [row["label"] for row in read(tmp_path / "a.jsonl", content)] == ["0", "1", "true"]


TWO_COLUMNS = {
    "reviews,sentiment\na,1\nb,0\nc,1\n": [{"text": text, "label": label} for text, label in ("a1", "b0", "c1")],
    "stars,said\n1,a\n5,b\n1,c\n": [{"label": label, "text": text} for text, label in ("a1", "b5", "c1")],
}


@pytest.mark.parametrize("content", TWO_COLUMNS)
def test_of_two_columns_the_one_with_two_values_is_the_label(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    assert read(tmp_path / "a.csv", content) == TWO_COLUMNS[content]
    (record,) = caplog.records
    text, label = ("reviews", "sentiment") if "reviews" in content else ("said", "stars")
    assert f"data.text_column={text}" in record.getMessage()
    assert f"data.label_column={label}" in record.getMessage()


@pytest.mark.parametrize(
    "content",
    [
        "reviews,sentiment,more\na,1,x\nb,0,x\nc,1,x\n",  # three columns
        "reviews,stars\na,1\nb,2\nc,3\n",  # three labels
        "reviews,sentiment\na,1\nb,0\n",  # both have two values
        "good one,1\nb,0\nc,1\n",  # no header
        "text,sentiment\na,1\nb,0\nc,1\n",  # one name is as usual
    ],
)
def test_no_columns_are_guessed_otherwise(tmp_path: Path, content: str) -> None:
    names = content.partition("\n")[0].split(",")
    assert list(read(tmp_path / "a.csv", content)[0]) == names


def test_empty_texts_are_said_with_their_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    path = tmp_path / "a.csv"
    read(path, 'text,label\na,0\n  ,1\n"",1\n')
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: line 3 has an empty text; there are 2 such reviews"
    ]


def test_blanks_around_a_label_are_left_out_and_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    path = tmp_path / "a.csv"
    assert [row["label"] for row in read(path, "text,label\na,neg\nb,neg \nc,pos\n")] == ["neg", "neg", "pos"]
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: line 3 has the label 'neg '; blanks around labels are left out"
    ]


@pytest.mark.parametrize("blank", ["", " "])
def test_an_empty_label_is_refused_with_its_line(blank: str, tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.csv", f'text,label\n"a\na",neg\nb,{blank}\n') == (
        "a.csv: line 4 has no label; every review needs one"
    )


def test_a_missing_label_in_parquet_is_refused_with_its_row(tmp_path: Path) -> None:
    content = pa.table({"text": ["a", "b"], "label": [1, None]})
    assert refusal(tmp_path / "a.parquet", content) == "a.parquet: row 2 has no label; every review needs one"


def test_parquet_texts_that_are_no_utf8_are_refused(tmp_path: Path) -> None:
    texts = pa.StringArray.from_buffers(1, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xff"))
    assert refusal(tmp_path / "a.parquet", pa.table({"text": texts, "label": ["x"]})).startswith(
        "a.parquet: cannot be read as parquet (Column 0: In chunk 0: Invalid"
    )


def test_a_whole_disk_is_refused_at_once() -> None:
    with pytest.raises(UserError, match="/: is a whole disk; name the folder of the reviews"):
        data_files(Path("/"))


def test_a_folder_stands_for_its_files_of_the_commonest_format(tmp_path: Path) -> None:
    for name in ("b.parquet", "sub/a.parquet", "_c.parquet", ".hidden.parquet", "__MACOSX/._b.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        parquet.write_table(table([(name, 0)]), tmp_path / name)
    for name in ("notes.txt", "state.json", "Thumbs.db", "README.md"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "sub" / "again").symlink_to(tmp_path)
    files = data_files(tmp_path)
    assert [row["text"] for row in read_files(files, DEFAULTS).to_pylist()] == [
        "_c.parquet",
        "b.parquet",
        "sub/a.parquet",
    ]


def test_a_compressed_file_is_read_like_the_plain_one(tmp_path: Path) -> None:
    plain = write_json_lines(tmp_path / "a.jsonl", ROWS)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert read_files([tmp_path / "a.jsonl.gz"], DEFAULTS).to_pylist() == ROWS


def test_a_damaged_compressed_file_is_refused_in_one_line(tmp_path: Path) -> None:
    whole = gzip.compress(b"text,label\na,0\nb,1\n" * 100)
    for damaged in (whole[:-12], b"text", whole[:20] + b"xx" + whole[22:]):
        (tmp_path / "a.csv.gz").write_bytes(damaged)
        with pytest.raises(UserError, match=r"a\.csv\.gz: "):
            read_files([tmp_path / "a.csv.gz"], DEFAULTS)
