from __future__ import annotations

from pathlib import Path

import pytest
from benchmark_results import all_results, comparison

from benchmarks.rows import Results, read_results, require_same_machine, write_results
from imdbclf.errors import UserError


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    results = all_results()
    write_results(results, tmp_path / "results.json")
    assert read_results(tmp_path / "results.json") == results


def test_a_partial_measurement_replaces_only_its_rows() -> None:
    results = all_results()
    row = comparison([1.0], [9.0], date="2026-02-03")
    merged = results.merged(Results(machine=results.machine, rows={"encode": row}))
    assert merged.rows["encode"].date == "2026-02-03"
    assert merged.rows["lecture_fit"] == results.rows["lecture_fit"]
    assert list(merged.rows) == list(results.rows)
    assert merged.scaling == results.scaling


def test_rows_of_two_machines_are_never_in_one_file() -> None:
    results = all_results()
    with pytest.raises(UserError, match="another machine"):
        require_same_machine(results, {"processor": "Another", "cores": 2})
    require_same_machine(None, {"processor": "Another", "cores": 2})


def test_a_damaged_file_is_named_and_a_missing_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert read_results(path) is None
    path.write_text('{"rows": {}}', encoding="utf-8")
    with pytest.raises(UserError, match=r"results\.json: is not a file of results .*machine Field required"):
        read_results(path)
