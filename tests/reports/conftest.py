"""Runs with known predictions."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.helpers import predicted


@pytest.fixture
def approvals(tmp_path: Path) -> list[Path]:
    """Agresti's approval ratings as two runs on positive reviews, and a third that is wrong of every one."""
    ids = [f"{number:04}" for number in range(1600)]
    first = [0.9] * 794 + [0.9] * 150 + [0.1] * 86 + [0.1] * 570
    second = [0.8] * 794 + [0.1] * 150 + [0.95] * 86 + [0.2] * 570
    chances = {"A": first, "B": second, "C": [0.1] * 1600}
    return [predicted(tmp_path / name, ids, [1] * 1600, chance) for name, chance in chances.items()]
