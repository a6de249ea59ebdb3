"""Pictures that carry a hash of the figures they show, since their pixels depend on the version of Matplotlib."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imdbclf.storage import atomic_write

if TYPE_CHECKING:
    # It takes a second to import, which looking at a hash does without.
    from matplotlib.figure import Figure

_KEY = "Results"


def digest(figures: Any) -> str:
    """A hash of figures in plain types, or of a dataclass of them."""
    plain = asdict(figures) if is_dataclass(figures) and not isinstance(figures, type) else figures
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def save(picture: Figure, path: Path, figures: Any) -> None:
    """Write a picture (PNG) that says which figures it shows."""
    with atomic_write(path) as aside:
        picture.savefig(aside, format="png", dpi=110, metadata={_KEY: digest(figures), "Software": None})


def shows(path: Path, figures: Any) -> bool:
    """Whether a picture says that it shows these figures."""
    return path.is_file() and digest(figures).encode() in path.read_bytes()
