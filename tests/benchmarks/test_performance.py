from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import performance
from benchmarks.performance import Profile, check, with_tables, write
from imdbclf.errors import UserError
from imdbclf.storage import write_json

PROFILE: Profile = {
    "phases": {"imports": 2.5, "fit: 20 epochs": 1.25},
    "step": {"first layer": 120.4},
    "growth": {"width": {"16": 900.0, "1024": 9000.0}},
}
PAGE = "Before\n" + "".join(f"<!-- {name} -->\nold\n<!-- /{name} -->\n" for name in PROFILE) + "After\n"


def test_each_table_is_written_between_its_markers_and_the_rest_stays() -> None:
    page = with_tables(PAGE, PROFILE)
    assert page.startswith("Before\n<!-- phases -->\n| phase | median |")
    assert page.endswith("<!-- /growth -->\nAfter\n")
    assert "| imports | 2.50 s |" in page
    assert "| first layer | 120 μs |" in page
    assert "| width | 16: 900 μs, 1,024: 9000 μs |" in page
    assert "old" not in page
    assert with_tables(page, PROFILE) == page


def test_a_page_without_a_marker_is_refused() -> None:
    with pytest.raises(UserError, match="must hold <!-- growth -->"):
        with_tables(PAGE.replace("<!-- /growth -->", ""), PROFILE)


def test_a_page_that_says_something_else_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performance, "PERFORMANCE", tmp_path / "performance.json")
    monkeypatch.setattr(performance, "PERFORMANCE_PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(performance, "PERFORMANCE_PICTURE", tmp_path / "performance.png")
    write_json(tmp_path / "performance.json", PROFILE)
    (tmp_path / "performance.md").write_text(PAGE, encoding="utf-8")
    with pytest.raises(UserError, match=r"performance\.md: differs .* run: make docs"):
        check()
    write(PROFILE)
    check()
    assert (tmp_path / "performance.png").read_bytes().startswith(b"\x89PNG")
