"""A child process measured from outside: wall-clock time, peak memory, private memory, on a terminal or not."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from imdbclf.errors import UserError, one_line

SAMPLING_SECONDS = 0.01
"""How often private memory is looked at."""

TERMINAL_SIZE = (40, 120)
"""Lines and columns of the pseudo-terminal."""


@dataclass(frozen=True)
class Finished:
    """A process that ended well.

    `seconds` is from start to exit; `peak_mb` the largest resident memory that the process, or any one of its
    children, ever had; `private_mb` the largest sampled RssAnon, 0 where it was not watched.
    """

    seconds: float
    peak_mb: float
    private_mb: float


def require_linux() -> None:
    """Refuse systems that do not show what is measured.

    Raises:
        UserError: where there is no /proc.
    """
    if not Path("/proc/self/status").is_file():
        msg = f"benchmarks: they need Linux (/proc, wait4); this is {platform.system()}"
        raise UserError(msg)


def run_process(
    command: Sequence[str],
    environment: dict[str, str],
    folder: Path,
    *,
    terminal: bool = False,
    watch_private: bool = False,
) -> Finished:
    """Run a command in a folder to its end; what it says goes to `output.txt` there.

    Args:
        command: program and arguments.
        environment: all of its variables.
        folder: its working directory.
        terminal: whether it runs on a pseudo-terminal, so that live progress is really drawn.
        watch_private: whether its private memory is sampled.

    Raises:
        UserError: if it ends with another status than 0, in a line with its last words.
    """
    output = folder / "output.txt"
    with output.open("wb") as sink, _stream(sink, terminal=terminal) as (stream, started_reading):
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=stream if terminal else subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        started_reading()
        with _watched(process.pid if watch_private else None) as private:
            usage = _waited(process)
        seconds = time.perf_counter() - started
    if process.returncode != 0:
        last = [line for line in output.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        said = one_line(last[-1])[:200] if last else "it said nothing"
        msg = f"{' '.join(map(str, command[:4]))} … ended with status {process.returncode}: {said}"
        raise UserError(msg)
    return Finished(seconds, usage * 1024 / 1e6, max(private, default=0.0))


def _waited(process: subprocess.Popen[bytes]) -> int:
    """Wait, set the return code, and return the peak memory in KiB."""
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss


@contextmanager
def _stream(sink: BinaryIO, *, terminal: bool) -> Iterator[tuple[int, Callable[[], None]]]:
    """Where a child writes to, and what to call once it has been started."""
    if not terminal:
        yield sink.fileno(), lambda: None
        return
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, TERMINAL_SIZE)
    reader = threading.Thread(target=_drain, args=(ours, sink))

    def started_reading() -> None:
        # The last holder of the child's end must be the child, so that its exit ends the reading.
        os.close(theirs)
        reader.start()

    try:
        yield theirs, started_reading
    finally:
        if reader.ident is not None:
            reader.join()
        os.close(ours)


def _drain(terminal: int, sink: BinaryIO) -> None:
    # Linux answers EIO when the other end has gone.
    with contextlib.suppress(OSError):
        while data := os.read(terminal, 1 << 16):
            sink.write(data)


@contextmanager
def _watched(pid: int | None) -> Iterator[list[float]]:
    """Samples of a process' private memory in MB, taken until the block ends; none without a process."""
    samples: list[float] = []
    if pid is None:
        yield samples
        return
    over = threading.Event()
    watcher = threading.Thread(target=_sample, args=(pid, samples, over))
    watcher.start()
    try:
        yield samples
    finally:
        over.set()
        watcher.join()


def _sample(pid: int, samples: list[float], over: threading.Event) -> None:
    while not over.wait(SAMPLING_SECONDS):
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError:
            return
        if found := re.search(r"RssAnon:\s+(\d+) kB", status):
            samples.append(int(found[1]) * 1024 / 1e6)
