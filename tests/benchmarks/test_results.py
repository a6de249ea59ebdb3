from __future__ import annotations

from pathlib import Path

import pytest
from benchmark_results import all_results, comparison

from benchmarks.results import Results, read_results, require_same_machine, write_results
from imdbclf.errors import UserError


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    results = all_results()
    write_results(tmp_path / "results.json", results)
    assert read_results(tmp_path / "results.json") == results


def test_a_partial_measurement_replaces_its_rows_alone() -> None:
    old = all_results()
    new = Results(old.machine, {"encode": comparison([1.0], [9.0], date="2026-02-03")})
    merged = old.merged(new)
    assert merged.rows["encode"].date == "2026-02-03"
    assert merged.rows["lecture_fit"] == old.rows["lecture_fit"]
    assert list(merged.rows) == list(old.rows)
    assert merged.scaling == old.scaling


def test_rows_of_two_machines_never_stand_in_one_file() -> None:
    with pytest.raises(UserError, match="another machine"):
        require_same_machine(all_results(), {"processor": "Another", "cores": 2})
    require_same_machine(None, {"processor": "Another", "cores": 2})


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('{"rows": {}}', encoding="utf-8")
    with pytest.raises(UserError, match=r"results\.json"):
        read_results(path)


def test_no_file_is_no_results(tmp_path: Path) -> None:
    assert read_results(tmp_path / "results.json") is None
