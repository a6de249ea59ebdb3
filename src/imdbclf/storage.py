"""Files that are complete or absent."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A path beside the given one to write to; it takes the name when all went well, and is gone when not.

    The name of the path beside it is one that nobody has, so that no file of others is overwritten.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_json(path: Path, contents: dict[str, Any]) -> None:
    """Write readable JSON, whole or not at all."""
    with atomic_write(path) as aside:
        aside.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
