from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import validation
from benchmarks.validation import Found, adjusted, check, comparison, points, with_comparison
from imdbclf.errors import UserError
from imdbclf.storage import write_json

FOUND: Found = {
    "accuracy": {
        "null": {"val": [0.90, 0.91, 0.905], "test": [0.88, 0.891, 0.884]},
        "film": {"val": [0.88, 0.892, 0.885], "test": [0.881, 0.89, 0.886]},
    },
    "seen": {"null": [0.9, 1.0, 0.8], "film": [0.0, 0.0, 0.0]},
    "films": 1_234,
}
PAGE = "Before\n<!-- validation -->\nold\n<!-- /validation -->\nAfter\n"


def test_accuracies_are_said_in_per_cent() -> None:
    np.testing.assert_allclose(points(FOUND, "null", "val"), [90, 91, 90.5])


def test_the_table_says_both_splits_and_how_many_films_are_known() -> None:
    said = comparison(FOUND)
    assert (
        "| split by chance (`data.group=null`) | 90.50 ± 1.24 | 88.50 ± 1.38 | +2.00 ± 0.25 | .003 | 90.0 % |" in said
    )
    assert "where the 1,234 films are kept together (not shown to be a difference, p = 1.000)" in said
    assert "−" in said


def test_the_p_values_are_adjusted_for_being_four() -> None:
    p = adjusted(FOUND)
    assert list(p) == ["null", "film", "val", "test"]
    assert p["null"] == pytest.approx(4 * 0.000827, rel=0.01)


def test_what_is_between_the_markers_is_written_anew_and_the_rest_stays() -> None:
    page = with_comparison(PAGE, FOUND)
    assert page.startswith("Before\n<!-- validation -->\n| split |")
    assert page.endswith("<!-- /validation -->\nAfter\n")
    assert with_comparison(page, FOUND) == page


def test_a_page_that_says_something_else_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "VALIDATION": "validation.json",
        "VALIDATION_PAGE": "validation.md",
        "VALIDATION_PICTURE": "validation.png",
    }
    for name, file in files.items():
        monkeypatch.setattr(validation, name, tmp_path / file)
    write_json(tmp_path / "validation.json", FOUND)
    (tmp_path / "validation.md").write_text(PAGE, encoding="utf-8")
    with pytest.raises(UserError, match="run: make docs"):
        check()
    validation.write(validation.read())
    check()
    assert (tmp_path / "validation.png").exists()
