from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest

from data.helpers import TEST, TRAIN, contents, write_acl_tree
from imdbclf.data.corpus import encode_corpus
from imdbclf.data.load_corpus import open_source
from imdbclf.data.sources.acl_imdb import AclImdbSource
from imdbclf.data.split import joined, split_rows
from imdbclf.errors import UserError
from imdbclf.settings import SourceSettings

FILMS = SourceSettings(group="film")


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


def test_line_ends_are_part_of_the_text_and_a_byte_order_mark_is_not(tmp_path: Path) -> None:
    folder = write_acl_tree(tmp_path / "aclImdb", train=[("a\r\nb\rc", 0), ("\ufeffd", 1)])
    assert contents(AclImdbSource(folder).read())["train"] == [("a\r\nb\rc", 0), ("d", 1)]


def test_hidden_files_folders_and_pipes_are_no_reviews(tmp_path: Path) -> None:
    folder = write_acl_tree(tmp_path / "aclImdb")
    fingerprint = AclImdbSource(folder).fingerprint()
    for name in ("._1_9.txt", ".DS_Store", "Thumbs.db"):
        (folder / "train" / "pos" / name).write_bytes(b"\0\xff")
    os.mkfifo(folder / "train" / "neg" / "70_2.txt")
    (folder / "train" / "neg" / "80_2.txt").mkdir()
    assert sorted(contents(AclImdbSource(folder).read())["train"]) == sorted(TRAIN)
    assert AclImdbSource(folder).fingerprint() == fingerprint


def test_a_text_of_the_same_size_and_time_changes_the_fingerprint(tmp_path: Path) -> None:
    folder = write_acl_tree(tmp_path / "aclImdb")
    fingerprint = AclImdbSource(folder).fingerprint()
    file = folder / "test" / "neg" / "1_2.txt"
    times = file.stat()
    file.write_bytes(bytes(reversed(file.read_bytes())))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert AclImdbSource(folder).fingerprint() != fingerprint


def test_a_tree_without_test_folders_has_no_test_part(tmp_path: Path) -> None:
    folder = write_acl_tree(tmp_path / "aclImdb")
    (folder / "test").rename(tmp_path / "away")
    assert list(AclImdbSource(folder).read().parts) == ["train"]


def test_an_empty_tree_is_refused(tmp_path: Path) -> None:
    folder = write_acl_tree(tmp_path / "aclImdb", train=[], test=[])
    with pytest.raises(UserError) as refusal:
        AclImdbSource(folder).read()
    assert str(refusal.value) == f"data.source={folder}: part train is empty; there must be at least one review"


def test_an_empty_label_folder_is_one_class(tmp_path: Path) -> None:
    reviews = AclImdbSource(write_acl_tree(tmp_path / "aclImdb", train=[("a", 1)], test=[("b", 1)])).read()
    assert (contents(reviews), reviews.label_names) == ({"train": [("a", 1)], "test": [("b", 1)]}, ("neg", "pos"))


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


def write_pages(folder: Path, label: str, lines: list[str]) -> Path:
    """The file that names the films of the training reviews with this label."""
    path = folder / "train" / f"urls_{label}.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def tree_with_films(folder: Path) -> Path:
    """Reviews 0 and 2 are positive, 1 and 3 negative; 0 and 3 are about one film, of 2 it is not known."""
    write_acl_tree(folder, train=[("a", 1), ("b", 0), ("c", 1), ("d", 0)])
    write_pages(folder, "pos", ["http://www.imdb.com/title/tt07/usercomments", "", "", "unused"])
    write_pages(folder, "neg", ["unused", "elsewhere/8", "", "http://www.imdb.com/title/tt07/reviews?x=1"])
    return folder


def films_of(folder: Path) -> dict[str, str]:
    read = AclImdbSource(folder, FILMS).read().parts["train"]
    return dict(zip(read["text"].to_pylist(), read["group"].to_pylist(), strict=True))


def film_refusal(folder: Path) -> str:
    with pytest.raises(UserError) as refusal:
        AclImdbSource(folder, FILMS).read()
    return str(refusal.value)


def test_the_film_of_a_review_is_on_the_line_of_its_number(tmp_path: Path) -> None:
    assert films_of(tree_with_films(tmp_path / "aclImdb")) == {"a": "tt07", "b": "elsewhere/8", "c": "", "d": "tt07"}


def test_only_the_training_part_has_films_and_only_if_asked(tmp_path: Path) -> None:
    folder = tree_with_films(tmp_path / "aclImdb")
    assert AclImdbSource(folder, FILMS).read().parts["test"].column_names == ["text", "label"]
    assert AclImdbSource(folder).read().parts["train"].column_names == ["text", "label"]


def test_a_tree_has_films_and_no_other_groups(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refusal:
        AclImdbSource(tmp_path, SourceSettings(group="actor"))
    assert str(refusal.value) == f"data.group=actor: must be film or null for aclImdb ({tmp_path})"


def test_a_missing_file_of_films_is_named(tmp_path: Path) -> None:
    folder = tree_with_films(tmp_path / "aclImdb")
    (folder / "train" / "urls_pos.txt").unlink()
    assert film_refusal(folder) == f"data.group=film: {folder} has no train/urls_pos.txt; it must name the films"
    with pytest.raises(UserError, match=r"has no train/urls_pos\.txt"):
        AclImdbSource(folder, FILMS).fingerprint()
    AclImdbSource(folder).fingerprint()


def test_a_file_of_films_that_is_too_short_is_named_with_the_review(tmp_path: Path) -> None:
    folder = tree_with_films(tmp_path / "aclImdb")
    path = write_pages(folder, "neg", ["one", "two", "three"])
    assert film_refusal(folder) == (
        f"data.group=film: {path} has 3 lines and none for 3_2.txt; "
        "line ID + 1 must name the film of the review ID_RATING.txt"
    )


@pytest.mark.parametrize("name", ["review.txt", "-1_9.txt", "²_9.txt"])
def test_a_review_whose_name_has_no_number_has_no_film(name: str, tmp_path: Path) -> None:
    folder = tree_with_films(tmp_path / "aclImdb")
    (folder / "train" / "pos" / name).write_text("e", encoding="utf-8")
    assert f"none for {name}; line ID + 1 must name" in film_refusal(folder)


def test_the_fingerprint_follows_the_films_where_they_are_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "aclImdb"
    write_acl_tree(folder, train=[("a", 1), ("b", 0)])
    plain = AclImdbSource(folder).fingerprint()
    found = []
    for film in ("one", "two"):
        for label in ("neg", "pos"):
            write_pages(folder, label, [film] * 2)
        found.append(AclImdbSource(folder, FILMS).fingerprint())
        assert AclImdbSource(folder).fingerprint() == plain
    assert len({plain, *found}) == 3


def packed(folder: Path, kind: str = "gztar") -> Path:
    return Path(shutil.make_archive(str(folder.parent / "a"), kind, folder.parent, folder.name))


@pytest.mark.parametrize("kind", ["gztar", "xztar", "bztar", "tar"])
def test_an_archive_holds_what_the_tree_holds(kind: str, tmp_path: Path) -> None:
    folder = tree_with_films(tmp_path / "aclImdb")
    (folder / "train" / "pos" / "._0_9.txt").write_bytes(b"\0\xff")
    (folder / "train" / "unsup").mkdir()
    (folder / "train" / "unsup" / "0_0.txt").write_text("none", encoding="utf-8")
    wanted = SourceSettings(group="film", unlabelled="unsup")
    archive = packed(folder, kind)
    source = open_source(SourceSettings(source=str(archive), group="film", unlabelled="unsup"))
    assert source.description == f"aclImdb archive {archive}"
    read, tree = source.read(), AclImdbSource(folder, wanted).read()
    assert {part: found.to_pydict() for part, found in read.parts.items()} == {
        part: found.to_pydict() for part, found in tree.parts.items()
    }
    assert source.fingerprint() != AclImdbSource(archive).fingerprint()


def test_a_file_that_is_no_archive_is_refused_in_one_line(tmp_path: Path) -> None:
    whole = packed(tree_with_films(tmp_path / "aclImdb")).read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2], gzip.compress(b"text")):
        (tmp_path / "b.tar.gz").write_bytes(content)
        with pytest.raises(
            UserError, match=r"data\.source=.*b\.tar\.gz: (cannot be read as an archive|has no reviews)"
        ):
            AclImdbSource(tmp_path / "b.tar.gz").read()


def test_an_archive_that_becomes_far_too_large_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("aclImdb/train/pos/0_9.txt")
        member.size = 70 << 20
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(UserError, match=r"a\.tar\.gz: has more than 64 MiB when unpacked$"):
        AclImdbSource(tmp_path / "a.tar.gz").read()


@pytest.fixture(scope="session")
def real_tree(real_imdb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The training part of the original archive, unpacked once; tests that need it are skipped where it is not."""
    archive = real_imdb.parent / "aclImdb_labelled.tar.xz"
    if not archive.is_file():
        pytest.skip(f"{archive.name} is not beside the real reviews")
    folder = tmp_path_factory.mktemp("archive")
    # Python itself takes two to three times as long for 25,000 small files.
    subprocess.run(["tar", "-xf", archive, "-C", folder, "aclImdb/train"], check=True)  # noqa: S607 - wherever tar is
    return folder / "aclImdb"


@pytest.mark.slow
def test_no_film_and_no_text_of_the_real_tree_is_on_both_sides(real_tree: Path) -> None:
    reviews = encode_corpus(AclImdbSource(real_tree, FILMS).read().parts).parts["train"]
    films = np.asarray(reviews.groups)
    assert (len(films), len(np.unique(films)), np.unique(films, return_counts=True)[1].max()) == (25_000, 3_456, 30)
    units = joined(reviews.sequences, films)
    for seed in range(3):
        train, val = split_rows(units, 10_000, seed)
        assert (len(train), len(val)) == (15_000, 10_000)
        assert 4_500 < reviews.labels[val].sum() < 5_500
        for never_divided in (films, reviews.sequences):
            assert not np.isin(never_divided[val], never_divided[train]).any()
        # The test would notice: of a split by chance, nearly all films are on both sides.
        train, val = split_rows(reviews.sequences, 10_000, seed)
        assert np.isin(films[val], films[train]).mean() > 0.9
