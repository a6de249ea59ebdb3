"""Runs command lines one after the other, each a line of JSON on standard input; answers with a line of JSON each."""

from __future__ import annotations

import io
import json
import re
import sys
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from imdbclf.cli.main import main

_RESET_PEAK = "5"
"""Written to `clear_refs`, it sets the peak of the resident memory to the present value (Linux)."""


def _answer(arguments: list[str]) -> dict[str, Any]:
    out, err, trace, status = io.StringIO(), io.StringIO(), "", 0
    before, began = _memory(reset=True), time.perf_counter()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 1
        except BaseException:
            status, trace = 1, traceback.format_exc()
    return {
        "status": status,
        "out": out.getvalue()[-2_000:],
        "err": (err.getvalue() + trace)[-2_000:],
        "megabytes": (_memory() - before) // 1_000,
        "seconds": round(time.perf_counter() - began, 2),
    }


def _memory(*, reset: bool = False) -> int:
    """The peak of the resident memory in kilobytes, since it was reset; 0 where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    if reset:
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text(encoding="ascii"))
    return int(found[1]) if found else 0


if __name__ == "__main__":
    answers = sys.stdout
    for line in sys.stdin:
        answers.write(json.dumps(_answer(json.loads(line))) + "\n")
        answers.flush()
