"""Export a checkpoint: write it in a format, compare with the checkpoint itself, and only then give it its name."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from imdbclf.checkpoint import Checkpoint, read_checkpoint
from imdbclf.console import install_command
from imdbclf.errors import UserError
from imdbclf.export.texts import drawn_texts, test_texts
from imdbclf.inference.predictor import Predictor
from imdbclf.storage import atomic_write


class Format(Protocol):
    """A module of this package that writes one format and can read it again."""

    TOLERANCE: float
    """The largest difference of a probability that is no error."""
    HALF_TOLERANCE: float
    IS_HALF: bool
    """Whether weights have 16 bits where nobody says otherwise."""

    def write(self, checkpoint: Checkpoint, path: Path, *, half: bool) -> None:
        """Write the export, a file or a folder; with `half`, weights of 16 bits."""

    def probabilities(self, path: Path, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """What the export says of n texts, float32 (n,)."""
        ...

    def is_ours(self, path: Path) -> bool:
        """Whether it is an export in this format; what is none can raise any error."""
        ...


FORMATS = {
    "hub": "imdbclf.export.hub",
    "onnx": "imdbclf.export.onnx",
    "torch": "imdbclf.export.torch_program",
    "web": "imdbclf.export.web",
}
"""The module and the extra of each format. A new format is a line here and a module."""


@dataclass(frozen=True)
class Exported:
    """What was written, and what the check found."""

    path: Path
    size: int
    """Bytes."""
    texts: int
    difference: float
    """The largest difference of a probability."""


def export_checkpoint(path: Path, target: Path, to: str, *, half: bool | None = None, force: bool = False) -> Exported:
    """Write a checkpoint in a format of `FORMATS`, checked on drawn texts and, if they are there, its test reviews.

    With `half`, the weights of the first layer have 16 bits; None is what the format says. `force` replaces an earlier
    export of the same format.

    Raises:
        UserError: if a value or the checkpoint is wrong, a library is missing, or the export says something else than
            the checkpoint; then there is no new file.
    """
    written = format_of(to)
    if not target.parent.is_dir():
        raise UserError(f"{target}: there is no folder {target.parent}")
    if target.exists() and not (force and _is_earlier(written, target)):
        then = "is no earlier export, so it is not replaced" if force else "exists; --force replaces an earlier export"
        raise UserError(f"{target}: {then}")
    checkpoint, half = read_checkpoint(path), written.IS_HALF if half is None else half
    texts = drawn_texts(checkpoint.vectorizer.vocabulary) + test_texts(path, checkpoint)
    expected = Predictor(checkpoint).probabilities(texts)
    with atomic_write(target) as aside:
        written.write(checkpoint, aside, half=half)
        found = written.probabilities(aside, texts)
        difference = float(np.abs(found - expected).max())
        others = np.count_nonzero((found > checkpoint.threshold) != (expected > checkpoint.threshold))
        if not difference <= (written.HALF_TOLERANCE if half else written.TOLERANCE) or others:
            why = f"it differs from the checkpoint by {difference:.1e} ({others} labels)"
            cure = "; --full keeps weights of 32 bits" if half else ""
            raise UserError(f"{target}: not written, because {why}{cure}")
    return Exported(target, size_of(target), len(texts), difference)


def _is_earlier(written: Format, target: Path) -> bool:
    try:
        return written.is_ours(target)
    except Exception:
        # Any bytes can be in it.
        return False


def size_of(target: Path) -> int:
    """The bytes of a file, or of all files of a folder."""
    return sum(file.stat().st_size for file in (target.rglob("*") if target.is_dir() else [target]))


def format_of(name: str) -> Format:
    """The module of a format.

    Raises:
        UserError: if there is none of that name, or its library is not installed.
    """
    if name not in FORMATS:
        raise UserError(f"--to {name}: must be one of {', '.join(FORMATS)}")
    try:
        return cast("Format", importlib.import_module(FORMATS[name]))
    except ModuleNotFoundError as error:
        raise UserError(f"--to {name}: needs {error.name}; install it with: {install_command(name)}") from error
