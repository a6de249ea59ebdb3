"""Pages that people write, with parts between markers that are written from what was measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from imdbclf.errors import UserError
from imdbclf.storage import atomic_write


def markers(name: str) -> tuple[str, str]:
    """What stands before and behind a part."""
    return f"<!-- {name} -->", f"<!-- /{name} -->"


def with_part(page: str, name: str, part: str, file: str) -> str:
    """The page with what stands between the markers of this name written anew.

    Raises:
        UserError: naming the file, if there is not one of each marker, in their order.
    """
    first, last = markers(name)
    before, begin, rest = page.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end or first in rest or last in after:
        msg = f"{file}: must hold {first} and, behind it, {last}, once each"
        raise UserError(msg)
    return f"{before}{first}\n{part}\n{last}{after}"


Anew = Callable[[str], str]
"""A page with its parts written anew, given the page."""


def rewrite(page: Path, anew: Anew) -> None:
    """Write the parts of a page anew."""
    text = anew(page.read_text(encoding="utf-8"))
    with atomic_write(page) as aside:
        aside.write_text(text, encoding="utf-8")


def refuse_stale(page: Path, anew: Anew, *figures: Path) -> None:
    """See that a page says what was measured.

    Args:
        page: the page.
        anew: writes its parts anew.
        figures: the files of what was measured.

    Raises:
        UserError: naming the page, the files and the command that mends it.
    """
    said = page.read_text(encoding="utf-8")
    if said != anew(said):
        msg = f"{page.name}: differs from benchmarks/{' and '.join(file.name for file in figures)}; run: make docs"
        raise UserError(msg)
