"""A sweep on a Ray cluster that is started for it, on this machine; `make test-ray` runs this."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import start

from sweeps.helpers import results


@pytest.mark.ray
def test_ray_gives_the_same_bit_for_bit_as_one_process(here: Path, small: list[str]) -> None:
    grid = ["train", "-m", *small, "model.layers=1,2"]
    for launcher in ("ray_cluster", "basic"):
        process = start(*grid, f"hydra/launcher={launcher}", f"hydra.sweep.dir={launcher}", cwd=here)
        out, _ = process.communicate(timeout=300)
        assert process.returncode == 0, out
    assert results(here / "ray_cluster") == results(here / "basic") != {}
