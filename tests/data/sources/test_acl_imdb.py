from __future__ import annotations

import os
from pathlib import Path

import pytest

from data.helpers import TEST, TRAIN, contents, write_acl_tree
from imdbclf.data.sources.acl_imdb import AclImdbSource
from imdbclf.errors import UserError


def test_a_tree_is_read_text_by_text(tmp_path: Path) -> None:
    source = AclImdbSource(write_acl_tree(tmp_path / "aclImdb"))
    reviews = source.read()
    assert {part: sorted(read) for part, read in contents(reviews).items()} == {
        "train": sorted(TRAIN),
        "test": sorted(TEST),
    }
    assert reviews.label_names == ("neg", "pos")
    assert source.description == f"aclImdb folder {tmp_path / 'aclImdb'}"


def test_a_tree_is_recognised_by_its_training_folders(tmp_path: Path) -> None:
    assert not AclImdbSource.recognises(tmp_path)
    (tmp_path / "train" / "neg").mkdir(parents=True)
    assert not AclImdbSource.recognises(tmp_path)
    (tmp_path / "train" / "pos").mkdir()
    assert AclImdbSource.recognises(tmp_path)


def test_what_is_no_review_is_left_out(tmp_path: Path) -> None:
    folder = write_acl_tree(tmp_path / "aclImdb")
    (folder / "train" / "unsup").mkdir()
    (folder / "train" / "unsup" / "0_0.txt").write_text("unlabelled", encoding="utf-8")
    (folder / "train" / "urls_pos.txt").write_text("http://", encoding="utf-8")
    (folder / "train" / "pos" / "notes.md").write_text("no review", encoding="utf-8")
    assert len(AclImdbSource(folder).read().parts["train"]) == len(TRAIN)


def test_line_ends_and_marks_are_part_of_the_text(tmp_path: Path) -> None:
    folder = write_acl_tree(tmp_path / "aclImdb", train=[("a\r\nb\rc", 0), ("\ufeffd", 1)])
    assert contents(AclImdbSource(folder).read())["train"] == [("a\r\nb\rc", 0), ("\ufeffd", 1)]


def test_a_tree_without_test_folders_has_no_test_part(tmp_path: Path) -> None:
    folder = write_acl_tree(tmp_path / "aclImdb")
    (folder / "test").rename(tmp_path / "away")
    assert list(AclImdbSource(folder).read().parts) == ["train"]


def test_an_empty_tree_is_refused(tmp_path: Path) -> None:
    folder = write_acl_tree(tmp_path / "aclImdb", train=[], test=[])
    with pytest.raises(UserError) as refusal:
        AclImdbSource(folder).read()
    assert str(refusal.value) == (
        f"data.source={folder}: part train is empty; there must be at least one review of each label"
    )


def test_an_empty_label_folder_is_one_class_only(tmp_path: Path) -> None:
    folder = write_acl_tree(tmp_path / "aclImdb", train=[("a", 1)], test=[("b", 1)])
    with pytest.raises(
        UserError, match=r"one class only \('pos'\); a binary classification needs reviews of exactly two"
    ):
        AclImdbSource(folder).read()


def test_undecodable_bytes_name_file_and_byte(tmp_path: Path) -> None:
    folder = write_acl_tree(tmp_path / "aclImdb")
    (folder / "test" / "neg" / "77_1.txt").write_bytes(b"caf\xe9")
    with pytest.raises(UserError) as refusal:
        AclImdbSource(folder).read()
    assert str(refusal.value) == f"{folder}/test/neg/77_1.txt: byte 4 is not UTF-8; save the file as UTF-8"


def test_the_fingerprint_follows_names_sizes_and_times(tmp_path: Path) -> None:
    source = AclImdbSource(write_acl_tree(tmp_path / "aclImdb"))
    found = [source.fingerprint(), source.fingerprint()]
    file = tmp_path / "aclImdb" / "test" / "neg" / "1_2.txt"
    os.utime(file, ns=(1, 1))
    found.append(source.fingerprint())
    file.write_bytes(b"longer than it was before")
    found.append(source.fingerprint())
    file.rename(file.with_name("9_2.txt"))
    found.append(source.fingerprint())
    assert found[0] == found[1]
    assert len(set(found)) == 4
