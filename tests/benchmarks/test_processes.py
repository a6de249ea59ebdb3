from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.processes import run_process
from imdbclf.errors import UserError

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


def _run(code: str, folder: Path, *, terminal: bool = False, watch_private: bool = False) -> tuple[float, float, float]:
    command = [sys.executable, "-c", code]
    found = run_process(command, dict(os.environ), folder, terminal=terminal, watch_private=watch_private)
    return found.seconds, found.peak_mb, found.private_mb


def test_time_is_from_start_to_exit(tmp_path: Path) -> None:
    seconds, _, _ = _run("import time; time.sleep(.3)", tmp_path)
    assert seconds > 0.3


def test_memory_is_the_largest_of_the_process_and_what_it_started(tmp_path: Path) -> None:
    grown = "b = bytearray(300_000_000); b[::4096] = b'1' * len(b[::4096])"
    _, peak, _ = _run(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grown!r}])", tmp_path)
    assert peak > 300


def test_private_memory_leaves_out_mapped_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(100_000_000))
    code = (
        "import mmap, time; f = open('file', 'rb'); m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)\n"
        "sum(m[::4096]); b = bytearray(50_000_000); b[::4096] = b'1' * len(b[::4096]); time.sleep(.2)"
    )
    _, _, private = _run(code, tmp_path, watch_private=True)
    assert 50 < private < 100


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_one_where_it_was_asked_for(tmp_path: Path, terminal: bool) -> None:
    _run("import os, sys; print(sys.stdout.isatty(), os.isatty(0))", tmp_path, terminal=terminal)
    assert (tmp_path / "output.txt").read_text(encoding="utf-8").strip() == f"{terminal} {terminal}"


def test_a_failed_process_is_said_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ended with status 3: the last words"):
        _run("import sys; print('first'); print('the last words'); sys.exit(3)", tmp_path)
