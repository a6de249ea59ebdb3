from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import ladder
from benchmarks.ladder import Measuring
from benchmarks.rungs import KINDS, Ladder, read_ladder
from benchmarks.workplace import Workplace


def test_what_was_measured_with_the_same_inputs_is_kept(tmp_path: Path) -> None:
    nothing: Ladder = {kind: {} for kind in KINDS}
    place, file = Workplace(tmp_path, tmp_path, tmp_path), tmp_path / "ladder.json"
    measuring = Measuring(place, nothing, file, tmp_path)
    assert measuring.kept("peers", "one", {"seeds": 1}, lambda: {"seconds": 1.0})["seconds"] == 1.0
    assert measuring.kept("peers", "one", {"seeds": 1}, lambda: {"seconds": 2.0})["seconds"] == 1.0
    assert measuring.kept("peers", "one", {"seeds": 3}, lambda: {"seconds": 3.0})["seconds"] == 3.0
    assert read_ladder(file)["peers"]["one"]["seconds"] == 3.0
    again = Measuring(place, nothing, file, tmp_path, again=frozenset({"one"}))
    assert again.kept("peers", "one", {"seeds": 3}, lambda: {"seconds": 4.0})["seconds"] == 4.0


def test_an_unknown_name_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["ladder", "--only", "strung"])
    with pytest.raises(SystemExit):
        ladder.main()
    assert "invalid choice: 'strung'" in capsys.readouterr().err
