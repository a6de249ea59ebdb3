from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.pages import difference, digest, interval, is_plot_of, long, rewritten, short, with_region
from imdbclf.errors import UserError

TEXT = "Before.\n<!-- speed -->\nold\n<!-- /speed -->\nIn a line <!-- size -->old<!-- /size --> too.\n"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    (tmp_path / "page.jinja").write_text(
        "{% macro _unit() %}s{% endmacro %}\n"
        "{% macro speed() %}\n| {{ found.seconds | as('.2f') }} {{ _unit() }} |\n{% endmacro %}\n"
        "{% macro size() %}{{ found.size }}{% endmacro %}\n",
        encoding="utf-8",
    )
    return tmp_path


def test_only_what_is_between_the_markers_is_replaced(templates: Path) -> None:
    page = templates / "page.md"
    page.write_text(TEXT, encoding="utf-8")
    text = rewritten(page, {"found": {"seconds": 1.5, "size": 3}}, templates)
    assert text == "Before.\n<!-- speed -->\n| 1.50 s |\n<!-- /speed -->\nIn a line <!-- size -->3<!-- /size --> too.\n"


@pytest.mark.parametrize("text", ["no markers", "<!-- a -->", "<!-- /a --> <!-- a -->", "<!-- a --><!-- /a -->" * 2])
def test_a_page_without_its_markers_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"^page\.md: must hold <!-- a --> and, after it, <!-- /a -->, once each$"):
        with_region(text, "a", "new", "page.md")


def test_a_plot_carries_the_hash_of_its_metrics(tmp_path: Path) -> None:
    plot = tmp_path / "plot.png"
    assert not is_plot_of(plot, {"seconds": 1})
    plot.write_bytes(b"pixels " + digest({"seconds": 1}).encode())
    assert is_plot_of(plot, {"seconds": 1})
    assert not is_plot_of(plot, {"seconds": 2})


def test_means_and_differences_are_shown_with_half_of_their_interval() -> None:
    assert interval([0.90, 0.91, 0.905]) == "90.50 ± 1.24"
    assert interval([0.90]) == "90.00"
    assert interval([-0.001, -0.003], 3, "+") == "−0.200 ± 1.271"
    assert difference([0.0, 0.0]) == "0.00 ± 0.00"


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5.0 s"), (90, "90 s"), (1000, "17 min"), (24_840, "6.9 h"), (267_840, "3.1 days")]
)
def test_long_times_have_the_unit_that_suits_them(seconds: float, text: str) -> None:
    assert long(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(6.49, "6.49 s"), (0.1, "100 ms"), (27.3e-6, "27.3 μs")])
def test_short_times_have_the_unit_that_suits_them(seconds: float, text: str) -> None:
    assert short(seconds) == text
