from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks import docs
from benchmarks.pages import is_plot_of, rewritten, save_plot
from benchmarks.plots import PLOTS
from benchmarks.rows import ROWS
from benchmarks.rungs import PUBLISHED
from imdbclf.errors import UserError

PAGES = {page.name: page for page in docs.PAGES}


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return docs.measured()


@pytest.fixture(scope="module")
def context(found: dict[str, Any]) -> dict[str, Any]:
    return docs.context_of(found)


@pytest.mark.parametrize("name", PAGES)
def test_a_changed_figure_is_found_in_every_region(name: str, context: dict[str, Any], tmp_path: Path) -> None:
    text = PAGES[name].read_text(encoding="utf-8")
    regions = re.findall(r"<!-- (\w+) -->", text)
    assert regions
    page = tmp_path / name
    for region in regions:
        start, end = text.index(f"<!-- {region} -->"), text.index(f"<!-- /{region} -->")
        written = text[start:end]
        changed = re.sub(r"\d(?=[^\d]*$)", lambda digit: str((int(digit[0]) + 1) % 10), written)
        page.write_text(text[:start] + (changed if changed != written else f"{written}?") + text[end:], "utf-8")
        assert rewritten(page, context) == text


def test_stale_pages_and_plots_are_named_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for plot in docs.PLOT_NAMES:
        (tmp_path / f"{plot}.png").write_bytes((docs.DOCS / f"{plot}.png").read_bytes())
    (tmp_path / "performance.png").write_bytes(b"of other metrics")
    page = tmp_path / "performance.md"
    page.write_text(PAGES["performance.md"].read_text(encoding="utf-8").replace("μs", "ms"), encoding="utf-8")
    monkeypatch.setattr(docs, "DOCS", tmp_path)
    monkeypatch.setattr(docs, "PAGES", [page])
    with pytest.raises(UserError, match=r"^performance\.md, performance\.png: not what was .* run: make docs$"):
        docs.check()


def test_results_with_a_part_of_the_rows_make_pages(found: dict[str, Any], tmp_path: Path) -> None:
    results = found["benchmarks"]
    part = results.model_copy(update={"rows": {"encode": results.rows["encode"]}, "scaling": None})
    context = docs.context_of(found | {"benchmarks": part})
    for name in ("README.md", "benchmarks.md", "scaling.md"):
        (tmp_path / name).write_text(rewritten(PAGES[name], context), encoding="utf-8")
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "CountVectorizer" in readme
    assert "Keras' `fit`" not in readme
    assert "| running them in one process | – | unmeasured |" in (tmp_path / "scaling.md").read_text(encoding="utf-8")


def test_bounds_have_the_sign_and_the_unit_of_their_row() -> None:
    text = PAGES["benchmarks.md"].read_text(encoding="utf-8")
    for cells in ("5.04× | ≥ 3× | ≥ 5× | goal reached", "+0.07 s | ≤ 0.3 s more | ≤ 0.15 s more | goal reached"):
        assert f"| {cells} |" in text
    for cells in ("1.52× | ≤ 1.9× | ≤ 1.4× |", "31.3% | ≤ 40% | ≤ 20% |", "2.19× | – | – | reported only |"):
        assert cells in text


def test_the_page_says_of_every_row_how_it_is_run() -> None:
    text = PAGES["benchmarks.md"].read_text(encoding="utf-8")
    assert [name for name in ROWS if f"- **{name}**: " not in text] == []


def test_the_page_names_the_papers_of_the_published_accuracies() -> None:
    text = PAGES["ladder.md"].read_text(encoding="utf-8")
    assert [name for name, accuracy in PUBLISHED.items() if f"| {name} | {100 * accuracy:.2f} |" not in text] == []


def test_four_p_values_of_validation_are_adjusted_for_being_four() -> None:
    null = {"val": [0.90, 0.91, 0.905], "test": [0.88, 0.891, 0.884]}
    film = {"val": [0.88, 0.892, 0.885], "test": [0.881, 0.89, 0.886]}
    p = docs.validation_p({"null": null, "film": film})
    assert list(p) == ["null", "film", "val", "test"]
    assert p["null"] == pytest.approx(4 * 0.000827, rel=0.01)


def test_every_plot_can_be_drawn_from_what_was_measured(found: dict[str, Any], tmp_path: Path) -> None:
    for name, draw in PLOTS.items():
        save_plot(draw(found[name]), tmp_path / f"{name}.png", found[name])
        assert is_plot_of(tmp_path / f"{name}.png", found[name])
