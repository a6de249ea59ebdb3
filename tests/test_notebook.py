"""The notebook: what is kept of it in git, and that it runs from top to bottom."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CELLS = json.loads((ROOT / "notebooks" / "lecture.ipynb").read_text(encoding="utf-8"))["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]
EXECUTE = str(ROOT / ".ci" / "notebook.py")


def test_git_has_no_outputs_of_the_notebook() -> None:
    assert CODE
    assert all(cell["outputs"] == [] and cell["execution_count"] is None and not cell["metadata"] for cell in CODE)


def test_the_first_cell_installs_from_one_named_address() -> None:
    first = "".join(CODE[0]["source"])
    assert first.count('ADDRESS = "imdbclf @ git+https://') == 1
    assert "%pip install" in first
    assert not any("pip" in "".join(cell["source"]) for cell in CODE[1:])


def test_without_its_tools_the_extra_is_named_in_one_line() -> None:
    # -S: without site-packages.
    done = subprocess.run([sys.executable, "-S", EXECUTE], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("notebook: needs the extra notebook; install it with: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_notebook_runs_on_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMDBCLF_DATA", "sample")
    done = subprocess.run([sys.executable, EXECUTE], check=True, capture_output=True, text=True)
    assert "bundled sample" in done.stdout
    assert "the network" in done.stdout
