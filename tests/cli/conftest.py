"""A finished checkpoint for the commands."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def best(finished_run: Path) -> str:
    return str(finished_run / "checkpoints" / "best.ckpt")
