from __future__ import annotations

import logging
import os
from pathlib import Path

import datasets
import pyarrow as pa
import pytest
from pyarrow import parquet

from data.helpers import TEST, TRAIN, Labelled, contents, table, write_hub_layout, write_json_lines
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


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "json"])
def test_a_review_is_a_text_whatever_it_looks_like(suffix: str, tmp_path: Path) -> None:
    reviews = [("2011-01-02", 0), ("NA", 1), ("null", 0), ("None", 1), ("1", 0)]
    path = tmp_path / f"train.{suffix}"
    if suffix in {"csv", "tsv"}:
        rows = [("text", "label"), *reviews]
        path.write_text("".join(f"{text}{',' if suffix == 'csv' else chr(9)}{label}\n" for text, label in rows))
    else:
        write_json_lines(path, [{"text": text, "label": label} for text, label in reviews])
    assert contents(FolderSource(tmp_path).read()) == {"train": reviews}


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
    with pytest.raises(UserError, match=r"train\.parquet: row 3 has no label; every review needs one$"):
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
    assert refusal(folder, "review") == message.format("review", "text")
    assert refusal(folder, "text", "stars") == message.format("stars", "label")


def test_an_empty_part_is_refused(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path / "imdb", train=TRAIN, test=[])
    assert refusal(folder)


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path / "imdb")
    file = folder / "plain_text" / "train-00000-of-00001.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(UserError) as error:
        FolderSource(folder).read()
    assert str(error.value).startswith(f"{file}: cannot be read as parquet (")


def test_undecodable_bytes_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(b"text,label\na,0\nb\xe9,1\n")
    with pytest.raises(UserError) as error:
        FolderSource(tmp_path).read()
    assert str(error.value).startswith(f"{tmp_path}/train.csv: line 3 is not UTF-8 (byte 0xe9)")


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


@pytest.mark.parametrize(
    ("file", "split"),
    [
        ("my-Training_v2.csv", "train"),
        ("inner/train.csv", "train"),
        ("valid.csv", "validation"),
    ],
)
def test_names_of_files_and_folders_say_the_split(file: str, split: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("text,label\na,0\nb,1\n", encoding="utf-8")
    if split == "train":
        assert contents(FolderSource(tmp_path).read()) == {"train": [("a", 0), ("b", 1)]}
    else:
        assert refusal(tmp_path) == f"there is no split 'train' (only {split})"


@pytest.mark.parametrize("name", ["a b", "a,b=c", "ä'b"])
def test_the_name_of_the_folder_may_hold_other_characters(name: str, tmp_path: Path) -> None:
    assert contents(FolderSource(write_hub_layout(tmp_path / name)).read()) == {"train": TRAIN, "test": TEST}


@pytest.mark.parametrize(("name", "found"), [("a[1]", "["), ("a::b", "::"), ("a*b?", "*"), ("{a}", "{")])
def test_a_pattern_as_the_name_of_a_folder_is_refused_with_what_to_do(name: str, found: str, tmp_path: Path) -> None:
    said = refusal(write_hub_layout(tmp_path / name))
    assert said == f"has {found!r} in its name, which is a pattern for `datasets`; rename the folder"


def test_links_to_a_folder_and_to_files_are_followed(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path / "real")
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "linked").mkdir()
    for file in (folder / "plain_text").iterdir():
        (tmp_path / "linked" / file.name).symlink_to(file)
    for name in ("link", "linked"):
        assert contents(FolderSource(tmp_path / name).read()) == {"train": TRAIN, "test": TEST}


def dataset(reviews: Labelled) -> datasets.Dataset:
    return datasets.Dataset.from_dict({"text": [text for text, _ in reviews], "label": [label for _, label in reviews]})


def test_what_save_to_disk_writes_is_read(tmp_path: Path) -> None:
    dataset(TRAIN).save_to_disk(tmp_path / "one", num_shards=2)
    datasets.DatasetDict({"train": dataset(TRAIN), "test": dataset(TEST)}).save_to_disk(tmp_path / "two")
    assert contents(FolderSource(tmp_path / "one").read()) == {"train": TRAIN}
    assert contents(FolderSource(tmp_path / "two").read()) == {"train": TRAIN, "test": TEST}


CONFIGS = """---
configs:
- config_name: long
  data_files: long/*.jsonl
- config_name: short
  data_files:
  - split: train
    path: [short/b.jsonl, short/a.jsonl]
  - split: test
    path: absent*
---
"""


def test_a_readme_with_several_configurations_offers_them(tmp_path: Path) -> None:
    for name in ("long/c", "short/a", "short/b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_json_lines(tmp_path / f"{name}.jsonl", [{"text": name, "label": label} for label in (0, 1)])
    (tmp_path / "README.md").write_text(CONFIGS, encoding="utf-8")
    for config, names in (("long", ["long/c"]), ("short", ["short/b", "short/a"])):
        read = contents(FolderSource(tmp_path, SourceSettings(config=config)).read())
        assert read == {"train": [(name, label) for name in names for label in (0, 1)]}
    for wrong, shown in ((None, "null"), ("other", "other")):
        with pytest.raises(UserError) as error:
            FolderSource(tmp_path, SourceSettings(config=wrong)).read()
        assert str(error.value) == (
            f"data.config={shown}: must be one of the configurations of {tmp_path} (long, short)"
        )


def test_the_readme_may_name_the_labels(tmp_path: Path) -> None:
    write_json_lines(tmp_path / "train.jsonl", [{"text": "good", "label": 0}, {"text": "bad", "label": 1}])
    names = "---\ndataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n"
    (tmp_path / "README.md").write_text(names + "          '0': pos\n          '1': neg\n---\n", encoding="utf-8")
    reviews = FolderSource(tmp_path).read()
    assert (contents(reviews), reviews.label_names) == ({"train": [("good", 1), ("bad", 0)]}, ("neg", "pos"))


@pytest.mark.parametrize(
    "head",
    [
        "configs: 5",
        "configs: [{data_files: [{split: train}]}]",
        "configs: [{data_files: '../*.csv'}]",
        "a: [",
        "[" * 2_000,
        "configs: [{data_dir: 5}]",
        "configs: [{data_files: [[]]}]",
        "configs: [{data_files: /etc/passwd}]",
    ],
)
def test_a_readme_that_makes_no_sense_ends_in_one_line(head: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"---\n{head}\n---\n", encoding="utf-8")
    (tmp_path / "train.csv").write_text("text,label\na,0\nb,1\n", encoding="utf-8")
    assert refusal(tmp_path).startswith("cannot be read as a dataset (")


def test_files_outside_of_the_folder_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("text,label\na,0\nb,1\n", encoding="utf-8")
    for path in ("../secret.csv", str(tmp_path / "secret.csv")):
        (folder / "README.md").write_text(readme(train=path), encoding="utf-8")
        assert refusal(folder) in {
            "the folder is empty; it must hold reviews in the Hub's layout or as an aclImdb tree",
            "cannot be read as a dataset",
        }


def test_texts_of_the_same_size_and_time_are_read_again(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path / "imdb", test=[("a", 0), ("b", 1)])
    source = FolderSource(folder)
    before = (source.fingerprint(), contents(source.read())["test"])
    file = folder / "plain_text" / "test-00000-of-00001.parquet"
    times, content = file.stat(), file.read_bytes()
    parquet.write_table(table([("c", 0), ("b", 1)]), file)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert len(file.read_bytes()) == len(content)
    after = (source.fingerprint(), contents(source.read())["test"])
    assert before[0] != after[0]
    assert after[1] == [("c", 0), ("b", 1)]


def test_the_fingerprint_follows_all_files_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "_more").mkdir()
    for name in ("train.csv", "_more/train.csv"):
        (tmp_path / name).write_text(f"text,label\n{name},0\nb,1\n", encoding="utf-8")
    before = FolderSource(tmp_path).fingerprint()
    for name in (".DS_Store", "._train.csv", "Thumbs.db", "__MACOSX/train.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\0\xff")
    assert FolderSource(tmp_path).fingerprint() == before
    read = [text for text, _ in contents(FolderSource(tmp_path).read())["train"]]
    assert set(read) <= {"train.csv", "_more/train.csv", "b"}
    (tmp_path / "_more" / "train.csv").write_text("text,label\nother,0\nb,1\n", encoding="utf-8")
    assert FolderSource(tmp_path).fingerprint() != before


def test_a_pipe_in_a_folder_is_no_file_to_wait_for(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path / "imdb")
    os.mkfifo(folder / "plain_text" / "train-00001-of-00002.parquet")
    assert contents(FolderSource(folder).read()) == {"train": TRAIN, "test": TEST}
