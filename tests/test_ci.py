"""The scripts in `.ci/`: what they refuse, and what they print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_an_environment_of_another_python_than_asked_for_is_named_in_one_line(tmp_path: Path) -> None:
    def checked(venv: Path) -> subprocess.CompletedProcess[str]:
        command = ["bash", str(ROOT / ".ci" / "same-python"), sys.executable, str(venv)]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    other = tmp_path / "bin" / "python"
    other.parent.mkdir()
    assert checked(tmp_path).returncode == 0
    other.write_text("#!/bin/sh\necho 3.99\n", encoding="utf-8")
    other.chmod(0o755)
    refused = checked(tmp_path)
    assert refused.returncode == 2
    assert re.fullmatch(r"PYTHON=.*: is Python 3\.\d+, but .* has Python 3\.99; remove it .*\n", refused.stderr)
    assert checked(Path(sys.prefix)).returncode == 0


def test_the_lowest_versions_are_the_bounds_of_the_package() -> None:
    command = [sys.executable, str(ROOT / ".ci" / "lowest.py")]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.splitlines()
    bounds = re.findall(
        r'^    "([\w-]+)>=([\d.]+)', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert set(lines) >= {"==".join(bound) for bound in bounds if bound[0] in {"torch", "lightning", "numpy", "typer"}}
    assert all(re.fullmatch(r"[\w-]+==[\w.]+", line) for line in lines)


def test_the_lock_has_a_hash_for_every_library_in_its_tested_version() -> None:
    tested = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-").split()
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").lower().splitlines()
    locked = [line.split(" --hash=sha256:") for line in lines if not line.startswith(("#", "--"))]
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for _, digest in locked)
    # The version of setuptools, which a virtual environment brings, is not said there.
    names = {name.replace("+cpu", "").replace("_", "-") for name, _ in locked if not name.startswith("setuptools")}
    assert names <= set(tested)


def test_a_site_without_its_tools_names_the_extra_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (tmp_path / "python").chmod(0o755)
    command = ["bash", str(ROOT / ".ci" / "site"), str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    install = f"{tmp_path}/pip install -c constraints.txt '.[site]'"
    assert (done.returncode, done.stderr) == (2, f"site: needs the extra site; install it with: {install}\n")
