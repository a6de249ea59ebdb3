"""Files that are complete or absent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def write_aside(path: Path) -> Iterator[Path]:
    """A path beside the given one to write to; it takes the name when all went well, and is gone when not."""
    aside = path.with_name(f".{path.name}.partial")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_json(path: Path, contents: dict[str, Any]) -> None:
    """Write readable JSON, whole or not at all."""
    with write_aside(path) as aside:
        aside.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
