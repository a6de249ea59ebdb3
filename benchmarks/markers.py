"""Pages that people write, with parts between markers that are written from what was measured."""

from __future__ import annotations

from imdbclf.errors import UserError


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
