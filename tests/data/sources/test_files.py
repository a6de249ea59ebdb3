from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from pyarrow import csv, parquet

from data.helpers import LABELLED, TEST, TRAIN, contents, table, write_json_lines
from imdbclf.data.sources.base import Reviews
from imdbclf.data.sources.files import FilesSource
from imdbclf.data.sources.tables import SUFFIXES
from imdbclf.errors import UserError
from imdbclf.settings import DataSettings, SourceSettings


def read(path: Path, content: bytes | pa.Table | None = None, **columns: str) -> Reviews:
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        parquet.write_table(content, path)
    return FilesSource(path, None, SourceSettings.model_validate(columns)).read()


def reviews_in(path: Path, content: bytes | pa.Table | None = None, **columns: str) -> list[tuple[str, int]]:
    return contents(read(path, content, **columns))["train"]


def refusal(path: Path, content: bytes | pa.Table) -> str:
    with pytest.raises(UserError) as error:
        read(path, content)
    assert "\n" not in str(error.value)
    return str(error.value).replace(str(path), path.name)


def write(path: Path, reviews: list[tuple[str, int]]) -> Path:
    if path.suffix == ".parquet":
        parquet.write_table(table(reviews), path)
    elif path.suffix in {".jsonl", ".ndjson"}:
        write_json_lines(path, [{"text": text, "label": label} for text, label in reviews])
    else:
        csv.write_csv(table(reviews), path, csv.WriteOptions(delimiter="\t" if path.suffix == ".tsv" else ","))
    return path


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "ndjson", "parquet"])
def test_every_format_gives_the_same_reviews(suffix: str, tmp_path: Path) -> None:
    source = FilesSource(write(tmp_path / f"a.{suffix}", TRAIN), write(tmp_path / f"b.{suffix}", TEST))
    assert contents(source.read()) == {"train": TRAIN, "test": TEST}
    assert source.description == f"files {tmp_path}/a.{suffix}, {tmp_path}/b.{suffix}"


@settings(max_examples=40, deadline=None)
@given(LABELLED)
def test_any_text_survives_json_lines_and_quoted_csv(
    tmp_path_factory: pytest.TempPathFactory, reviews: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    both = [*reviews, ("last", 0), ("last", 1)]
    write_json_lines(folder / "a.jsonl", [{"text": text, "label": label} for text, label in both])
    quoted = "".join('"{}",{}\n'.format(text.replace('"', '""'), label) for text, label in both)
    assert reviews_in(folder / "a.jsonl") == both
    assert reviews_in(folder / "a.csv", f"text,label\n{quoted}".encode()) == both


def test_the_formats_may_be_mixed(tmp_path: Path) -> None:
    source = FilesSource(write(tmp_path / "a.csv", TRAIN), write(tmp_path / "b.jsonl", TEST))
    assert contents(source.read()) == {"train": TRAIN, "test": TEST}


def test_csv_may_quote_line_ends_commas_and_quotes(tmp_path: Path) -> None:
    content = b'text,label\n"one\ntwo, ""three""",neg\r\n"four\r\n\r\nfive",pos\r\n'
    assert reviews_in(tmp_path / "a.csv", content) == [('one\ntwo, "three"', 0), ("four\r\n\r\nfive", 1)]


def test_quoted_line_ends_survive_in_files_of_many_blocks(tmp_path: Path) -> None:
    reviews = [(f"review {number}\n\n" + 'long, "and" longer\n' * 400, number % 2) for number in range(600)]
    path = write(tmp_path / "a.csv", reviews)
    assert path.stat().st_size > 4 << 20
    assert reviews_in(path) == reviews


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_review_may_be_longer_than_a_megabyte(suffix: str, tmp_path: Path) -> None:
    reviews = [("short", 0), ("long " * 500_000, 1), ("short", 0)]
    assert reviews_in(write(tmp_path / f"a.{suffix}", reviews)) == reviews


@pytest.mark.parametrize("word", ["NA", "N/A", "null", "NULL", "nan", "None", "true", "1", "007", "1e5", "2011-01-02"])
def test_a_csv_review_is_a_text_whatever_it_looks_like(word: str, tmp_path: Path) -> None:
    content = f"text,label\n{word},neg\n{word},pos\n".encode()
    assert reviews_in(tmp_path / "a.csv", content) == [(word, 0), (word, 1)]


@pytest.mark.parametrize("word", ["2011-01-02", "2011-01-02 03:04:05", "2011-01-02T03:04:05Z", "1", "true", "null"])
def test_a_json_review_is_a_text_whatever_it_looks_like(word: str, tmp_path: Path) -> None:
    content = "".join(json.dumps({"text": word, "label": label}) + "\n" for label in (0, 1)).encode()
    assert reviews_in(tmp_path / "a.jsonl", content) == [(word, 0), (word, 1)]


def test_an_empty_csv_text_is_an_empty_review(tmp_path: Path) -> None:
    assert reviews_in(tmp_path / "a.csv", b'text,label\n,neg\n"",pos\n') == [("", 0), ("", 1)]


def test_a_missing_json_text_is_an_empty_review(tmp_path: Path) -> None:
    content = b'{"text": null, "label": 0}\n{"label": 1}\n{"text": "a", "label": 1}\n'
    assert reviews_in(tmp_path / "a.jsonl", content) == [("", 0), ("", 1), ("a", 1)]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"a.{suffix}", TRAIN)
    assert reviews_in(path, b"\xef\xbb\xbf" + path.read_bytes()) == TRAIN
    numbers = [("007", 0), ("1e5", 1)]
    assert reviews_in(path, b"\xef\xbb\xbf" + write(path, numbers).read_bytes()) == numbers


def test_other_columns_can_be_named_and_more_are_left_out(tmp_path: Path) -> None:
    content = b"id,stars,review\n1,good,a\n2,bad,b\n"
    found = read(tmp_path / "a.csv", content, text_column="review", label_column="stars")
    assert contents(found)["train"] == [("a", 1), ("b", 0)]
    assert found.label_names == ("bad", "good")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([False, True], ("false", "true")),
        ([0.0, 1.0], ("neg", "pos")),
        ([-1, 1], ("neg", "pos")),
        (["neg", "pos"], ("neg", "pos")),
    ],
)
@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_labels_may_be_of_any_type(labels: list[Any], names: tuple[str, str], suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "jsonl":
        write_json_lines(path, [{"text": "a", "label": label} for label in labels])
        found = read(path)
    else:
        found = read(path, pa.table({"text": ["a", "a"], "label": labels}))
    assert (contents(found)["train"], found.label_names) == ([("a", 0), ("a", 1)], names)


@pytest.mark.parametrize("type_", [pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.binary()], ids=str)
def test_parquet_texts_may_be_of_any_text_type(type_: pa.DataType, tmp_path: Path) -> None:
    content = pa.table({"text": pa.array(["é", "b"]).cast(type_), "label": [0, 1]})
    assert reviews_in(tmp_path / "a.parquet", content) == [("é", 0), ("b", 1)]


def test_undecodable_bytes_name_the_line(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.csv", b"text,label\na,0\nb\xe9,1\n") == (
        "a.csv: line 3 is not UTF-8 (byte 0xe9); save the file as UTF-8, "
        "or say how it is encoded, for example data.encoding=cp1252"
    )
    assert refusal(tmp_path / "a.jsonl", b'{"text": "\xff", "label": 0}\n') == (
        "a.jsonl: line 1 is not UTF-8 (byte 0xff); save the file as UTF-8, "
        "or say how it is encoded, for example data.encoding=cp1252"
    )


@pytest.mark.parametrize(
    "column",
    [pa.array([b"a", b"\xff"]), pa.array([["a"], ["b"]]), pa.array([{"a": 1}, {"a": 2}])],
    ids=["undecodable bytes", "lists", "groups"],
)
@pytest.mark.parametrize("name", ["text", "label"])
def test_a_parquet_column_that_holds_no_texts_is_refused(name: str, column: pa.Array, tmp_path: Path) -> None:
    content = pa.table({"text": ["a", "b"], "label": [0, 1]} | {name: column})
    assert "a.parquet" in refusal(tmp_path / "a.parquet", content)


def test_json_labels_that_are_lists_are_refused(tmp_path: Path) -> None:
    assert "a.jsonl" in refusal(tmp_path / "a.jsonl", b'{"text": "a", "label": [0]}\n{"text": "b", "label": [1]}\n')


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_an_empty_file_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    assert refusal(path, b"") == f"a.{suffix}: the file is empty; it must hold a text and a label column"


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf", b"\n", b"\xef\xbb\xbf\n"], ids=["mark", "line end", "both"])
def test_a_csv_file_without_a_header_line_is_refused(content: bytes, tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.csv", content).startswith("a.csv: ")


def test_a_csv_file_of_a_header_alone_is_an_empty_part(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.csv", b"text,label\n") == (
        "files a.csv: part train is empty; there must be at least one review"
    )


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    message = "part train has no column '{}'; data.{}_column must be one of {}"
    assert refusal(tmp_path / "a.csv", b"review,label\na,0\n") == (
        "files a.csv: " + message.format("text", "text", "review, label")
    )
    assert refusal(tmp_path / "a.jsonl", b'{"review": "a", "label": 0}\n') == (
        "files a.jsonl: " + message.format("text", "text", "review, label")
    )
    assert refusal(tmp_path / "a.parquet", pa.table({"text": ["a"], "stars": [0]})) == (
        "files a.parquet: " + message.format("label", "label", "text, stars")
    )


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    assert "a.csv" in refusal(tmp_path / "a.csv", b"text,text,label\na,b,0\nc,d,1\n")


def test_a_missing_label_names_the_review(tmp_path: Path) -> None:
    content = b'{"text": "a", "label": 0}\n{"text": "b", "label": 1}\n{"text": "c"}\n'
    assert refusal(tmp_path / "a.jsonl", content) == ("a.jsonl: line 3 has no label; every review needs one")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b'{"text": "a", "label": 0}\n{"text": "b", "la\n'),
        ("a.jsonl", b"text,label\na,0\n"),
        ("a.parquet", b"text,label\na,0\n"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_in_one_line(
    name: str, content: bytes, tmp_path: Path
) -> None:
    assert refusal(tmp_path / name, content).startswith(f"{name}: cannot be read as {name[2:]} (")


def test_the_fingerprint_follows_contents_parts_and_columns(tmp_path: Path) -> None:
    one, other = write(tmp_path / "one.csv", TRAIN), write(tmp_path / "other.csv", TEST)
    same = write(tmp_path / "same.csv", TRAIN)
    sources = [
        FilesSource(one, other),
        FilesSource(other, one),
        FilesSource(one, None),
        FilesSource(None, one),
        FilesSource(one, other, SourceSettings(text_column="review")),
        FilesSource(one, other, SourceSettings(label_column="stars")),
    ]
    assert len({source.fingerprint() for source in sources}) == 6
    assert FilesSource(same, other).fingerprint() == sources[0].fingerprint()


def settings_of(**named: Any) -> DataSettings:
    return DataSettings(source="files", **named)


def test_settings_name_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.CSV", TRAIN)
    monkeypatch.chdir(tmp_path)
    settings = settings_of(train="a.CSV", text_column="t", label_column="l")
    assert FilesSource.from_settings(settings) == FilesSource(tmp_path / "a.CSV", None, settings)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({}, f"data.train=null: must be a file when data.source=files; it must end in {SUFFIXES}"),
        ({"train": "absent.csv"}, "data.train=absent.csv: there is no such file"),
        ({"train": "a.doc"}, f"data.train=a.doc: must be a file, or a folder of files, that ends in {SUFFIXES}"),
        ({"train": "a.csv", "test": "absent.csv"}, "data.test=absent.csv: there is no such file"),
        (
            {"train": "folder.csv"},
            f"data.train=folder.csv: must be a file, or a folder of files, that ends in {SUFFIXES}",
        ),
    ],
)
def test_files_that_are_not_there_are_refused(
    named: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.csv", TRAIN)
    (tmp_path / "a.doc").touch()
    (tmp_path / "folder.csv").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        FilesSource.from_settings(settings_of(**named))
    assert str(error.value) == message


SENTENCES = ["Loved this place.\t1", "Crust is not good.\t0", '"Never" again\t0', "Good\t1"]


def test_the_message_says_how_a_file_without_header_line_is_read(tmp_path: Path) -> None:
    message = refusal(tmp_path / "a.txt", "\n".join(SENTENCES).encode())
    assert message.endswith("; for a file without header line: data.header=false, and columns are numbers")


def test_a_link_is_read_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"text,label\na,0\nb,1\n")
    (tmp_path / "a.csv").symlink_to(tmp_path / "blob")
    source = FilesSource.from_settings(settings_of(train=str(tmp_path / "a.csv")))
    assert contents(source.read()) == {"train": [("a", 0), ("b", 1)]}


def test_a_folder_of_parts_is_read_as_one_file(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for number, review in enumerate(TRAIN):
        write(tmp_path / "parts" / f"part-{number}.parquet", [review])
    source = FilesSource.from_settings(settings_of(train=str(tmp_path / "parts")))
    assert contents(source.read()) == {"train": TRAIN}
    one = source.fingerprint()
    write(tmp_path / "parts" / "part-9.parquet", TEST)
    assert source.fingerprint() != one


@pytest.mark.parametrize(
    "written", [{"delimiter": "tab"}, {"quote": "none"}, {"encoding": "cp1252"}, {"header": False}]
)
def test_the_fingerprint_follows_how_files_are_written(written: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", TRAIN)
    plain = FilesSource(path, None).fingerprint()
    assert FilesSource(path, None, SourceSettings.model_validate(written)).fingerprint() != plain


ONE_FILE = b"text,label,part\ngood,pos,train\nbad,neg, Train\nfine,pos,test\npoor,neg,TEST\nso,pos,unsup\nwell,pos,\n"


def test_a_column_says_which_rows_are_for_testing_and_others_are_left_out_and_counted(tmp_path: Path) -> None:
    reviews = read(tmp_path / "all.csv", ONE_FILE, split_column="part")
    assert contents(reviews) == {"train": [("good", 1), ("bad", 0)], "test": [("fine", 1), ("poor", 0)]}
    assert reviews.notes == ("2 of 6 reviews are left out: their part is neither train nor test",)


def test_a_column_of_parts_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    for column, message in (
        ("label", "data.split_column=label: must have the values train and test; it has 'neg', 'pos'"),
        ("fold", "no column 'fold'; data.split_column must be null or one of text, label, part"),
    ):
        with pytest.raises(UserError) as error:
            read(tmp_path / "all.csv", ONE_FILE, split_column=column)
        assert message in str(error.value)
    with pytest.raises(UserError, match=r"data.split_column=part: must be null, because data.test names a file"):
        FilesSource.from_settings(settings_of(train="a.csv", test="b.csv", split_column="part"))
