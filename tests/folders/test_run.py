"""Names of run folders, and what is never overwritten."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folders.helpers import OF_OTHERS
from imdbclf.errors import UserError
from imdbclf.folders.run import RunFolder, claim, reserve


def test_runs_started_in_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    wanted = [tmp_path / "2026-01-01_12-00-00_lecture"] * 16
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(reserve, wanted))
    assert len(set(folders)) == 16
    assert {folder.name for folder in folders} >= {"2026-01-01_12-00-00_lecture", "2026-01-01_12-00-00_lecture-2"}


def test_discarding_a_run_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "mine")
    folder.checkpoints.mkdir(parents=True)
    folder.config.touch()
    folder.last.touch()
    (folder.path / "thesis.txt").touch()
    folder.discard()
    assert [path.name for path in folder.path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("discard", [RunFolder.discard, RunFolder.discard_unfinished])
def test_what_a_killed_process_was_writing_is_removed_and_nothing_like_it(
    tmp_path: Path, discard: Callable[[RunFolder], None]
) -> None:
    folder = RunFolder(tmp_path)
    folder.checkpoints.mkdir()
    left = [".thesis.txt.0123abcd.partial", ".config.yaml.partial", "config.yaml.0123abcd.partial"]
    for name in (*left, ".config.yaml.0123abcd.partial", "checkpoints/.last.ckpt.0123abcd.partial"):
        (tmp_path / name).touch()
    discard(folder)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted(left)


FOREIGN = [*OF_OTHERS, "metrics.json", "train.log", "history.csv", "checkpoints/best.ckpt"]


def write_all(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"of {name}", encoding="utf-8")


def contents_of(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


@settings(deadline=None)
@given(names=st.sets(st.sampled_from(FOREIGN), min_size=1))
def test_a_folder_that_holds_anything_is_refused_and_keeps_every_byte(names: set[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_all(folder, names)
        with pytest.raises(UserError, match="is not empty; give an empty folder"):
            claim(folder)
        assert contents_of(folder) == {name: f"of {name}" for name in names}


@settings(deadline=None)
@given(names=st.sets(st.sampled_from(OF_OTHERS)))
def test_discarding_a_run_removes_its_own_files_from_among_those_of_others(names: set[str]) -> None:
    own = ["config.yaml", "checkpoints/last.ckpt", "members/1/history.csv", "teacher/members/1/checkpoints/best.ckpt"]
    with tempfile.TemporaryDirectory() as place:
        folder = claim(Path(place) / "run")
        write_all(folder, [*own, *names])
        RunFolder(folder).discard()
        assert folder.exists() == bool(names)
        assert contents_of(folder) == {name: f"of {name}" for name in names}


def test_a_missing_folder_is_made_and_an_empty_one_is_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("new/run", "empty"):
        assert claim(tmp_path / name).is_dir()


def test_a_discarded_run_leaves_no_empty_folder_that_it_made(tmp_path: Path) -> None:
    for make in (claim, reserve):
        RunFolder(make(tmp_path / "outputs/new/run")).discard()
        assert not list(tmp_path.iterdir())
    (tmp_path / "mine").mkdir()
    RunFolder(reserve(tmp_path / "mine/run")).discard()
    assert (tmp_path / "mine").is_dir()


@pytest.mark.parametrize("exists", [True, False])
def test_of_runs_that_claim_a_folder_at_the_same_time_one_gets_it(tmp_path: Path, exists: bool) -> None:
    wanted = tmp_path / "run"
    if exists:
        wanted.mkdir()

    def is_claimed(_: int) -> bool:
        try:
            return claim(wanted) == wanted
        except UserError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(is_claimed, range(16))) == 1


def test_an_empty_folder_that_was_there_stays_when_the_run_is_discarded(tmp_path: Path) -> None:
    RunFolder(claim(tmp_path)).discard()
    assert tmp_path.is_dir()


def test_a_file_is_no_folder_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        claim(tmp_path / "file")


@pytest.mark.parametrize("name", ["members", "teacher", "checkpoints"])
def test_a_file_in_the_place_of_a_folder_stays(tmp_path: Path, name: str) -> None:
    folder = claim(tmp_path / "run")
    (folder / name).write_text("mine", encoding="utf-8")
    RunFolder(folder).discard()
    assert (folder / name).read_text(encoding="utf-8") == "mine"
