"""The shape of the project: no private names of libraries, short functions, tests where their modules are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "imdbclf"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FUNCTION = 40
"""Lines of a function, its docstring included."""

PRIVATE_IN_TEXT = re.compile(r"\b(?:hydra|lightning|optuna|torch|datasets|omegaconf|pyarrow|rich|typer)\.[\w.]*\b_\w+")
PUBLIC_BY_DOCUMENTATION = {"_target_", "_self_"}
"""Keys of Hydra's configs, which its documentation names."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in PUBLIC_BY_DOCUMENTATION


def own_names(tree: ast.Module) -> set[str]:
    """Private names that a module itself defines: functions, classes, assignments, attributes of `self`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
            names.add(node.attr)
    return names


def private_uses(source: str) -> Iterator[str]:
    """Imports, attributes and dotted names in strings that are private to a library."""
    tree = ast.parse(source)
    own = own_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from (f"import of {part}" for part in parts if is_private(part))
        elif isinstance(node, ast.Import):
            yield from (
                f"import of {alias.name}" for alias in node.names if any(map(is_private, alias.name.split(".")))
            )
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            yield f"attribute {ast.unparse(node)}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (f"text {found}" for found in PRIVATE_IN_TEXT.findall(node.value))


@pytest.mark.parametrize("source", ["from a._b import c", "import a._b", "a.b._c()", "'hydra._internal.core'"])
def test_a_private_name_is_found(source: str) -> None:
    assert list(private_uses(source))


@pytest.mark.parametrize("source", ["self._x = 1\nother._x", "config._target_", "def _f(): ...\n_f()", "a.__name__"])
def test_own_and_documented_names_are_allowed(source: str) -> None:
    assert list(private_uses(source)) == []


def test_no_module_uses_a_private_name_of_a_library() -> None:
    found = {module.name: list(private_uses(module.read_text(encoding="utf-8"))) for module in MODULES}
    assert {name: uses for name, uses in found.items() if uses} == {}


def test_no_config_names_a_private_name_of_a_library() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "configs").rglob("*.yaml")}
    found = {path.name: PRIVATE_IN_TEXT.findall(text) for path, text in texts.items()}
    assert {name: names for name, names in found.items() if [one for one in names if "_target_" not in one]} == {}


def test_every_range_of_whole_numbers_says_its_type() -> None:
    calls = [
        f"{module.relative_to(PACKAGE)}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.arange"
        if "dtype" not in [keyword.arg for keyword in node.keywords]
    ]
    assert calls == []


def test_every_function_fits_on_a_screen() -> None:
    long = [
        f"{module.relative_to(PACKAGE)}:{node.lineno} {node.name}"
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []
