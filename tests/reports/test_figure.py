"""All pictures have one style: `reports/figure.py` makes and saves them, and has their colours."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from imdbclf.reports.figure import LABELS, NETWORK, TRAINING, VALIDATION, new_figure, rendered, styled

ROOT = Path(__file__).parents[2]
FIGURE = ROOT / "src" / "imdbclf" / "reports" / "figure.py"
PLACES = (ROOT / "src" / "imdbclf", ROOT / "benchmarks")
OWN_PLACE = ROOT / "benchmarks" / "peers"
"""What runs in another environment, without this package."""

MODULES = {
    path: path.read_text(encoding="utf-8")
    for place in PLACES
    for path in sorted(place.rglob("*.py"))
    if path != FIGURE and OWN_PLACE not in path.parents
}
DRAWING = {path: text for path, text in MODULES.items() if "new_figure(" in text}
RELATIVE = {path: str(path.relative_to(ROOT)) for path in MODULES}


def test_only_one_module_makes_or_saves_figures() -> None:
    assert DRAWING
    own = re.compile(r"\bFigure\(|\.savefig\(|\bpyplot\b|rc_context|rcParams")
    assert [RELATIVE[path] for path, text in MODULES.items() if own.search(text)] == []


@pytest.mark.parametrize("path", DRAWING, ids=RELATIVE.get)
def test_a_function_that_draws_a_figure_has_the_style(path: Path) -> None:
    functions = [node for node in ast.walk(ast.parse(DRAWING[path])) if isinstance(node, ast.FunctionDef)]
    drawing = [one for one in functions if "new_figure(" in ast.unparse(one)]
    assert [one.name for one in drawing if "styled" not in map(ast.unparse, one.decorator_list)] == []


@pytest.mark.parametrize("path", DRAWING, ids=RELATIVE.get)
def test_colours_come_from_the_style(path: Path) -> None:
    assert re.findall(r"""["'](?:tab:\w+|#[0-9a-fA-F]{3,8}|C\d)["']""", DRAWING[path]) == []


def test_what_is_shown_has_different_colours() -> None:
    assert len({TRAINING, VALIDATION, NETWORK, *LABELS}) == 5


@styled
def draw(text: str) -> tuple[bytes, bytes]:
    figure, ((axes,),) = new_figure(3, 2)
    axes.set_title(text)
    plot = rendered(figure, "name", "words")
    return plot.png, plot.svg


def test_a_text_is_no_formula_and_the_bytes_are_the_same_every_time() -> None:
    assert draw(r"$\frac$") == draw(r"$\frac$")
