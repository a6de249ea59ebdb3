from __future__ import annotations

import logging
from pathlib import Path

import datasets
import pyarrow as pa
import pytest
from pyarrow import parquet

from data.helpers import TEST, TRAIN, contents, table, write_hub_layout, write_json_lines
from imdbclf.data.sources.folder import FolderSource
from imdbclf.errors import UserError
from imdbclf.settings import SourceSettings


def refusal(folder: Path, text_column: str = "text", label_column: str = "label") -> str:
    with pytest.raises(UserError) as error:
        FolderSource(folder, SourceSettings(text_column=text_column, label_column=label_column)).read()
    line = str(error.value)
    assert line.startswith(f"data.source={folder}: ")
    assert "\n" not in line
    return line.removeprefix(f"data.source={folder}: ")


@pytest.mark.usefixtures("no_network")
def test_a_folder_in_the_hubs_layout_is_read_without_network(tmp_path: Path) -> None:
    source = FolderSource(write_hub_layout(tmp_path / "imdb"))
    reviews = source.read()
    assert contents(reviews) == {"train": TRAIN, "test": TEST}
    assert reviews.label_names == ("neg", "pos")
    assert source.description == f"folder {tmp_path / 'imdb'}"


def test_a_folder_of_csv_files_is_read(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text('text,label\n"a, b\nc",neg\nd,pos\n', encoding="utf-8")
    assert contents(FolderSource(tmp_path).read()) == {"train": [("a, b\nc", 0), ("d", 1)]}


def test_a_review_that_says_na_keeps_its_word(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\nNA,neg\nnull,pos\n", encoding="utf-8")
    assert contents(FolderSource(tmp_path).read()) == {"train": [("NA", 0), ("null", 1)]}


def test_a_review_that_was_read_as_a_date_is_refused_rather_than_changed(tmp_path: Path) -> None:
    rows = [{"text": "2011-01-02", "label": 0}, {"text": "2011-01-03", "label": 1}]
    write_json_lines(tmp_path / "train.jsonl", rows)
    assert "the texts have the type timestamp" in refusal(tmp_path)


def test_other_columns_can_be_named(tmp_path: Path) -> None:
    write_json_lines(tmp_path / "train.jsonl", [{"review": "a", "stars": "1"}, {"review": "b", "stars": "5"}])
    reviews = FolderSource(tmp_path, SourceSettings(text_column="review", label_column="stars")).read()
    assert (contents(reviews), reviews.label_names) == ({"train": [("a", 0), ("b", 1)]}, ("1", "5"))


def test_labels_that_the_dataset_names_go_by_their_names(tmp_path: Path) -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["pos", "neg"])})
    made = datasets.Dataset.from_dict({"text": ["good", "bad"], "label": [0, 1]}, features=features)
    made.to_parquet(tmp_path / "train.parquet")
    reviews = FolderSource(tmp_path).read()
    assert (contents(reviews), reviews.label_names) == ({"train": [("good", 1), ("bad", 0)]}, ("neg", "pos"))


def test_a_label_without_a_name_is_a_missing_one(tmp_path: Path) -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    made = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [0, 1, -1]}, features=features)
    made.to_parquet(tmp_path / "train.parquet")
    with pytest.raises(UserError, match=r"part train: review 3 has no label; every review needs one$"):
        FolderSource(tmp_path).read()


def test_a_missing_text_is_an_empty_review(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"text": ["a", None], "label": [0, 1]}), tmp_path / "train.parquet")
    assert contents(FolderSource(tmp_path).read()) == {"train": [("a", 0), ("", 1)]}


def test_unlabelled_reviews_beside_the_parts_do_no_harm(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path / "imdb")
    parquet.write_table(table([("x", -1)]), folder / "plain_text" / "unsupervised-00000-of-00001.parquet")
    (folder / "README.md").write_text(readme(train="plain_text/train-*", test="plain_text/test-*"), encoding="utf-8")
    assert contents(FolderSource(folder).read()) == {"train": TRAIN, "test": TEST}


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    allowed = "the folder is empty; it must hold reviews in the Hub's layout or as an aclImdb tree"
    assert refusal(tmp_path) == allowed
    (tmp_path / "README.md").write_text("nothing", encoding="utf-8")
    assert refusal(tmp_path) == allowed


def test_a_folder_without_training_part_is_refused(tmp_path: Path) -> None:
    parquet.write_table(table(TEST), tmp_path / "test.parquet")
    assert refusal(tmp_path) == "there is no split 'train' (only test)"


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path / "imdb")
    message = "part train has no column '{}'; data.{}_column must be one of text, label"
    message += "; try data.text_column=text data.label_column=label"
    assert refusal(folder, "review") == message.format("review", "text")
    assert refusal(folder, "text", "stars") == message.format("stars", "label")


def test_an_empty_part_is_refused(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path / "imdb", train=TRAIN, test=[])
    assert refusal(folder)


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path / "imdb")
    file = folder / "plain_text" / "train-00000-of-00001.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    assert refusal(folder).startswith("cannot be read as a dataset (")


def test_undecodable_bytes_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(b"text,label\na,0\nb\xe9,1\n")
    assert refusal(tmp_path).startswith("cannot be read as a dataset (")


def test_reading_says_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    FolderSource(write_hub_layout(tmp_path / "imdb")).read()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert capfd.readouterr() == ("", "")


def test_the_fingerprint_follows_the_contents(tmp_path: Path) -> None:
    one = FolderSource(write_hub_layout(tmp_path / "one")).fingerprint()
    assert FolderSource(write_hub_layout(tmp_path / "same")).fingerprint() == one
    assert FolderSource(write_hub_layout(tmp_path / "other", test=TEST[:2])).fingerprint() != one
    assert FolderSource(tmp_path / "one", SourceSettings(text_column="review")).fingerprint() != one
    (tmp_path / "one" / ".hidden").touch()
    assert FolderSource(tmp_path / "one").fingerprint() == one
    (tmp_path / "one" / "plain_text").rename(tmp_path / "one" / "renamed")
    assert FolderSource(tmp_path / "one").fingerprint() != one


def readme(**parts: str) -> str:
    files = "".join(f"  - split: {part}\n    path: {path}\n" for part, path in parts.items())
    return f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}---\n"


def test_the_fingerprint_changes_where_the_readme_deals_the_files_to_other_parts(tmp_path: Path) -> None:
    parquet.write_table(table(TRAIN), tmp_path / "a.parquet")
    parquet.write_table(table(TEST), tmp_path / "b.parquet")
    found = []
    for train, test in (("a", "b"), ("b", "a")):
        (tmp_path / "README.md").write_text(readme(train=f"{train}.parquet", test=f"{test}.parquet"), encoding="utf-8")
        source = FolderSource(tmp_path)
        found.append((source.fingerprint(), contents(source.read())))
    assert found[0][1] == {"train": TRAIN, "test": TEST}
    assert found[1][1] == {"train": TEST, "test": TRAIN}
    assert found[0][0] != found[1][0]


def test_the_real_folder_has_the_published_sizes(real_imdb: Path) -> None:
    reviews = FolderSource(real_imdb).read()
    assert {part: len(read) for part, read in reviews.parts.items()} == {"train": 25_000, "test": 25_000}
    assert reviews.label_names == ("neg", "pos")
