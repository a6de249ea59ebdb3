"""A child process measured from outside: wall-clock time, peak memory, private memory; on a terminal or not."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from imdbclf.errors import UserError, one_line

SAMPLING_SECONDS = 0.01
"""Seconds between two samples of private memory."""

TERMINAL_SIZE = (40, 120)
"""Lines and columns of the pseudo-terminal."""


@dataclass(frozen=True)
class Finished:
    """A process that ended with status 0.

    `seconds` is from start to exit; `peak_mb` the largest resident memory that the process, or any one of its
    children, ever had; `private_mb` the largest sampled RssAnon, 0 where it was not watched.
    """

    seconds: float
    peak_mb: float
    private_mb: float


def run_process(
    command: Sequence[str],
    environment: dict[str, str],
    folder: Path,
    *,
    terminal: bool = False,
    watch_private: bool = False,
) -> Finished:
    """Run a command in a folder and wait for it; its output goes to `output.txt` there.

    Args:
        command: program and arguments.
        environment: all of its variables.
        folder: its working directory.
        terminal: whether it runs on a pseudo-terminal, so that it draws live progress.
        watch_private: whether its private memory is sampled.

    Raises:
        UserError: if it ends with another status than 0; the message holds its last line.
    """
    output, samples = folder / "output.txt", [0.0]
    with output.open("wb") as sink:
        ours, theirs = os.openpty() if terminal else (0, sink.fileno())
        source = theirs if terminal else subprocess.DEVNULL
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=source, stdout=theirs, stderr=subprocess.STDOUT
        )
        if watch_private:
            # It ends with the process.
            threading.Thread(target=_sample, args=(process.pid, samples)).start()
        peak = _peak_mb(process, partial(_drain, ours, theirs, sink) if terminal else None)
        seconds = time.perf_counter() - started
    if process.returncode != 0:
        lines = output.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["without output"]
        msg = f"{' '.join(command[:4])} … ended with status {process.returncode}: {one_line(lines[-1])[:200]}"
        raise UserError(msg)
    return Finished(seconds, peak, max(samples))


def _peak_mb(process: subprocess.Popen[bytes], drain: Callable[[], None] | None) -> float:
    """Wait for a process, while `drain` copies its output, and return its peak memory."""
    try:
        if drain:
            drain()
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        process.wait()
        raise
    # subprocess must not wait for it again.
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * 1024 / 1e6


def _drain(ours: int, theirs: int, sink: BinaryIO) -> None:
    """Copy what the child writes on its terminal until it ends."""
    termios.tcsetwinsize(ours, TERMINAL_SIZE)
    # Only the child may hold its end, so that its exit ends the reading.
    os.close(theirs)
    # Linux raises EIO when the other end is closed.
    with contextlib.suppress(OSError):
        while data := os.read(ours, 1 << 16):
            sink.write(data)
    os.close(ours)


def _sample(pid: int, samples: list[float]) -> None:
    """Add the private memory of a process in MB, again and again until it is gone."""
    with contextlib.suppress(OSError):
        while True:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            if found := re.search(r"RssAnon:\s+(\d+) kB", status):
                samples.append(int(found[1]) * 1024 / 1e6)
            time.sleep(SAMPLING_SECONDS)
