"""The picture of labels and lengths."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import run

Capture = pytest.CaptureFixture[str]


def test_labels_and_lengths_are_drawn(small_files: dict[str, Path], tmp_path: Path, capsys: Capture) -> None:
    picture = tmp_path / "reviews.png"
    assert run(capsys, "data", str(small_files["train"]), "--picture", str(picture)).status == 0
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert run(capsys, "data", str(small_files["train"]), "--picture", str(picture)).status == 2
