from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import search_comparison
from benchmarks.search_comparison import TRIALS, Found, best_so_far, check, comparison, with_comparison
from imdbclf.errors import UserError
from imdbclf.storage import write_json

RISING = [0.80 + number / 1_000 for number in range(TRIALS)]
FOUND: Found = {
    "grid": [0.5, 0.817, 0.81],
    "searches": {
        "tpe": [RISING, RISING[::-1], [0.8] * TRIALS],
        "random": [[0.5] * TRIALS, [0.51] * TRIALS, [0.5, *[0.52] * (TRIALS - 1)]],
    },
    "networks": {"tpe": [18, 18, 1], "random": [1, 1, 2]},
}
PAGE = "Before\n<!-- comparison -->\nold\n<!-- /comparison -->\nAfter\n"


def test_the_best_so_far_never_falls() -> None:
    best = best_so_far(FOUND, "tpe")
    assert best.shape == (3, TRIALS)
    assert (np.diff(best, axis=1) >= 0).all()
    assert best[1].tolist() == [RISING[-1]] * TRIALS


def test_the_sentence_says_what_the_test_says() -> None:
    assert "TPE is better than random search here: +30.133 points" in comparison(FOUND)
    alike: Found = {**FOUND, "searches": dict.fromkeys(("tpe", "random"), FOUND["searches"]["tpe"])}
    assert "these repeats do not show that TPE beats random search here: +0.000 points, p = 1.000" in comparison(alike)


def test_what_is_between_the_markers_is_written_anew_and_the_rest_stays() -> None:
    page = with_comparison(PAGE, FOUND)
    assert page.startswith("Before\n<!-- comparison -->\n| trials |")
    assert page.endswith("<!-- /comparison -->\nAfter\n")
    assert "old" not in page
    assert with_comparison(page, FOUND) == page
    with pytest.raises(UserError, match="must hold"):
        with_comparison("no markers", FOUND)


def test_a_page_that_says_something_else_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, file in {"SEARCH": "search.json", "SEARCH_PAGE": "search.md", "SEARCH_PICTURE": "search.png"}.items():
        monkeypatch.setattr(search_comparison, name, tmp_path / file)
    write_json(tmp_path / "search.json", FOUND)
    (tmp_path / "search.md").write_text(PAGE, encoding="utf-8")
    with pytest.raises(UserError, match="run: make docs"):
        check()
    search_comparison.write(search_comparison.read())
    check()
    assert (tmp_path / "search.png").exists()
