from __future__ import annotations

from pathlib import Path

import pytest
from benchmark_results import all_results, comparison, scaling

from benchmarks.docs import check_docs, write_docs
from benchmarks.page import page, scaling_cells
from benchmarks.readme import BEGIN, END, figures, with_figures
from benchmarks.results import Results
from benchmarks.rows import ROWS
from imdbclf.errors import UserError

README = f"# Title\n\nBefore.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    readme = tmp_path / "README.md"
    readme.write_text(README, encoding="utf-8")
    written = (readme, tmp_path / "benchmarks.md", tmp_path / "benchmarks.png")
    write_docs(all_results(), *written)
    return written


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    text = with_figures(README, all_results())
    assert text.startswith(f"# Title\n\nBefore.\n\n{BEGIN}\n|")
    assert text.endswith(f"|\n{END}\n\nAfter.\n")
    assert "old" not in text


def test_replacing_twice_changes_nothing_more() -> None:
    once = with_figures(README, all_results())
    assert with_figures(once, all_results()) == once


@pytest.mark.parametrize("readme", ["no markers", BEGIN, f"{END} {BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_readme_without_its_markers_is_refused(readme: str) -> None:
    with pytest.raises(UserError, match="must hold"):
        with_figures(readme, all_results())


def test_the_readme_says_ratios_and_leaves_out_what_was_not_measured() -> None:
    assert "**10.0 times** as fast as Keras' `fit`" in figures(all_results())
    only = Results(all_results().machine, {"encode": comparison([1.0], [4.0])})
    assert "CountVectorizer" in figures(only)
    assert "Keras" not in figures(only)


def test_the_page_has_every_row_with_its_bounds_and_every_single_value() -> None:
    text = page(all_results())
    for name in all_results().rows:
        assert f"| {name} | {ROWS[name].what} |" in text
        assert f"- **{name}**: {ROWS[name].fair}" in text
    assert "10.00× | ≥ 8× | ≥ 13× | must met |" in text
    assert "| lecture_fit | 2026-01-02 | peer | 20, 21, 19 | s |" in text
    assert "scaling_memory | 1,000,000 reviews: 1.10× the peak of 25,000 | ≤ 1.2× | must met |" in text


def test_two_sizes_say_nothing_of_a_straight_line() -> None:
    cells = {name: verdict for name, _, _, verdict in scaling_cells(scaling(2.5, 10.0))}
    assert cells["scaling_encode"] == "needs 3 sizes"


@pytest.mark.parametrize(("last", "verdict"), [(100.0, "must met"), (200.0, "MISSED")])
def test_the_largest_size_must_be_near_the_line(last: float, verdict: str) -> None:
    cells = {name: said for name, _, _, said in scaling_cells(scaling(2.5, 10.0, last))}
    assert cells["scaling_encode"] == verdict


def test_the_page_says_that_a_gpu_is_unmeasured_until_it_is() -> None:
    results = all_results()
    assert "unmeasured" in page(results)
    measured = Results(results.machine, results.rows | {"lecture_fit_gpu": comparison([1.0], [2.0])})
    assert "unmeasured" not in page(measured)


def test_what_was_just_written_passes_the_check(files: tuple[Path, Path, Path]) -> None:
    check_docs(all_results(), *files)


@pytest.mark.parametrize("which", [0, 1])
def test_an_edited_figure_fails_the_check(files: tuple[Path, Path, Path], which: int) -> None:
    edited = files[which]
    edited.write_text(edited.read_text(encoding="utf-8").replace("10.0", "11.0"), encoding="utf-8")
    with pytest.raises(UserError, match=rf"^{edited.name}: differs .* run: make docs$"):
        check_docs(all_results(), *files)


def test_results_that_changed_fail_the_check(files: tuple[Path, Path, Path]) -> None:
    results = all_results()
    newer = Results(results.machine, results.rows | {"help": comparison([0.2], [0.02])}, results.scaling)
    write_docs(newer, files[0], files[1], files[2].with_name("other.png"))
    # Page and README say the new figures; the picture still shows the old ones.
    with pytest.raises(UserError, match=r"^benchmarks\.png: differs"):
        check_docs(newer, *files)


def test_a_missing_page_fails_the_check(files: tuple[Path, Path, Path]) -> None:
    files[1].unlink()
    with pytest.raises(UserError, match=r"^benchmarks\.md"):
        check_docs(all_results(), *files)
