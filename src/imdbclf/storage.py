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
    """Give a temporary path in the same folder; it is renamed to `path` on success, and deleted on an exception.

    Its name is random, so that it does not overwrite another file.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_json(path: Path, contents: dict[str, Any]) -> None:
    """Write indented JSON, completely or not at all."""
    with atomic_write(path) as aside:
        aside.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
