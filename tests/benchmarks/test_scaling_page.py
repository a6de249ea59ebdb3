from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from benchmark_results import all_results

from benchmarks.scaling_page import Costs, check, duration, memory_slope, read_costs, short, with_figures, write
from imdbclf.errors import UserError
from imdbclf.storage import write_json

COSTS = Costs(
    date="2026-01-02",
    machine={"processor": "A processor", "cores": 2},
    versions={"python": "3.11.7"},
    cache_bytes_a_review=1000.0,
    run_files=9,
    run_bytes={"16-16": 3_000_000, "64-64-64": 11_000_000},
    plan_seconds=0.1,
    look_seconds=2e-5,
    report_seconds=0.01,
    private_mb={"1000": 1100, "0": 450},
)
NAMES = ("measured", "jobs", "reviews")
PAGE = "Before\n" + "".join(f"<!-- {name} -->\nold\n<!-- /{name} -->\n" for name in NAMES) + "<!-- data parallel -->\n"


def test_each_figure_is_shown_with_its_arithmetic() -> None:
    page = with_figures(PAGE, all_results(), COSTS)
    assert "| planning, before the first one starts | 10,000 × 100 ms | 17 min |" in page
    assert "| on a cluster, 256 at a time, each a process of its own | 10,000 × 2 s / 256 | 78 s |" in page
    assert "| the cache | 1,000,000,000 × 1000 bytes | 1.00 TB |" in page
    assert "| their folders | 10,000 × 3.0 to 11.0 MB | 30 to 110 GB, 90,000 files |" in page
    assert "| a job among others in one process | 0.06 s |" in page
    assert "\nold\n" not in page
    assert page.endswith("<!-- data parallel -->\n")
    assert with_figures(page, all_results(), COSTS) == page


def test_what_was_not_measured_is_said_or_left_out() -> None:
    page = with_figures(PAGE, None, None)
    assert "| running them in one process | – | unmeasured |" in page
    assert "the cache |" not in page


def test_a_page_without_a_marker_is_refused() -> None:
    with pytest.raises(UserError, match="must hold <!-- jobs -->"):
        with_figures(PAGE.replace("<!-- jobs -->", ""), None, None)


def test_a_page_that_says_something_else_is_found(tmp_path: Path) -> None:
    path = tmp_path / "scaling.md"
    path.write_text(PAGE, encoding="utf-8")
    with pytest.raises(UserError, match=r"scaling\.md: differs .* run: make docs"):
        check(all_results(), COSTS, path)
    write(all_results(), COSTS, path)
    check(all_results(), COSTS, path)


def test_memory_grows_by_what_lies_between_smallest_and_largest_size() -> None:
    scaling = all_results().scaling
    assert scaling is not None
    assert memory_slope(scaling) == pytest.approx(1e6 / 20_000)


def test_costs_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    assert read_costs(path) is None
    write_json(path, asdict(COSTS))
    assert read_costs(path) == COSTS
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=r"costs\.json: is no file of costs"):
        read_costs(path)


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5.0 s"), (90, "90 s"), (1000, "17 min"), (24_840, "6.9 h"), (267_840, "3.1 days")]
)
def test_long_times_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(6.49, "6.49 s"), (0.1, "100 ms"), (27.3e-6, "27.3 μs")])
def test_short_times_have_the_unit_that_suits_them(seconds: float, text: str) -> None:
    assert short(seconds) == text
