"""README and docs/: links lead somewhere, and commands use settings that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imdbclf.settings import RENAMED, settings_keys

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")
_OVERRIDE = re.compile(r"(?<![\w./+~-])([a-z_]+(?:[./][a-z_0-9]+)*)=")
_COMMAND = re.compile(r"imdbclf train [^\n`#]*")


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _keys() -> set[str]:
    groups = {str(file.parent.relative_to(ROOT / "configs")) for file in ROOT.glob("configs/**/*.yaml")}
    return {*settings_keys(), *RENAMED, *groups}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        assert not anchor or anchor in _anchors(file), f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_train_command_uses_keys_that_exist(page: Path) -> None:
    known = _keys()
    for command in _COMMAND.findall(page.read_text(encoding="utf-8")):
        for key in _OVERRIDE.findall(command):
            assert key in known or key.startswith(("hydra.", "trainer.")), f"{key} in {command}"


def test_the_readme_is_short_and_begins_with_the_two_commands() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 110
    first_screen = "\n".join(lines[:20])
    for part in ("make train", "make test", "docs/history.png"):
        assert part in first_screen


def test_every_module_that_contributing_names_exists() -> None:
    named = re.findall(r"`([\w/]+\.py)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert named
    for path in named:
        assert any((folder / path).exists() for folder in (ROOT, ROOT / "src" / "imdbclf")), path
