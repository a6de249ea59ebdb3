"""Files that are complete or absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from imdbclf.storage import atomic_write, write_json


def test_a_file_appears_whole(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"ü": 1})
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == '{\n  "ü": 1\n}\n'


def write_half(path: Path) -> None:
    with atomic_write(path) as aside:
        aside.write_text("half", encoding="utf-8")
        raise OSError("full")


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old", encoding="utf-8")
    with pytest.raises(OSError, match="full"):
        write_half(tmp_path / "x")
    assert [(path.name, path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()] == [("x", "old")]
