"""Files that are complete or absent."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from imdbclf.storage import atomic_write, copy_file, json_text, write_json


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


def test_a_folder_replaces_a_folder_whole_and_a_failure_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "model"
    for name in ("first", "second"):
        with atomic_write(target) as aside:
            aside.mkdir()
            (aside / name).write_text(name, encoding="utf-8")
    with suppress(FileNotFoundError), atomic_write(target) as aside:
        aside.mkdir()
        (aside / "third" / "inside nothing").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["model", "model/second"]


def test_the_contents_are_on_the_disk_before_the_file_has_its_name_and_then_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[str, list[str]]] = []

    def noted(descriptor: int) -> None:
        kind = "folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "file"
        flushed.append((kind, [path.name for path in tmp_path.glob("[!.]*")]))

    monkeypatch.setattr(os, "fsync", noted)
    write_json(tmp_path / "x.json", {})
    assert flushed == [("file", []), ("folder", ["x.json"])]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_copy_that_could_not_be_made_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new").write_bytes(b"new" * 1000)
    (tmp_path / "old").write_bytes(b"old")
    copy = shutil.copyfile
    monkeypatch.setattr(shutil, "copyfile", lambda source, _aside: copy(source, "/dev/full"))
    with pytest.raises(OSError, match="No space left"):
        copy_file(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old"]


def test_json_has_null_for_what_is_no_number() -> None:
    text = json_text({"a": [float("nan"), 1.5], "b": {"c": float("-inf")}, "d": (float("inf"), "NaN", 1, None)})
    assert json.loads(text, parse_constant=pytest.fail) == {
        "a": [None, 1.5],
        "b": {"c": None},
        "d": [None, "NaN", 1, None],
    }
