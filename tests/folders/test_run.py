"""Names of run folders, and what is never overwritten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imdbclf.errors import UserError
from imdbclf.folders.run import RunFolder, refuse_used, reserve


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


def test_an_empty_or_missing_folder_may_be_used_and_a_file_may_not(tmp_path: Path) -> None:
    refuse_used(tmp_path)
    refuse_used(tmp_path / "new")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        refuse_used(tmp_path / "file")
