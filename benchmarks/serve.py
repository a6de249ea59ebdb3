"""`make bench-serve`: requests a second of `imdbclf serve` and of other servers, into benchmarks/serve.json.

Each server has one core, wrk the other; 8 connections send test reviews. The servers take turns, and medians are kept.
Besides the rate there is the rate for each second of processor time, which other work on the machine changes less.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.command import MEASURED, PEERS_PYTHON, ROOT, ending_in_one_line, parser_of_two_runs, reviews_folder, say
from benchmarks.machine import machine, our_versions, peer_versions
from benchmarks.reviews import read_part
from imdbclf.errors import UserError
from imdbclf.storage import write_json

SIZES = (1, 32)
"""Texts of a request."""

CONNECTIONS = 8
_CORES = "0", "1"


def measure(checkpoints: dict[str, Path], repeat: int, seconds: int) -> dict[str, Any]:
    """The rates of each server by texts of a request: requests a second, and a second of processor time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bodies = {size: _bodies(folder, size) for size in SIZES}
        commands = _commands(checkpoints, folder)
        found: dict[str, dict[int, list[tuple[float, float]]]] = {who: {size: [] for size in SIZES} for who in commands}
        for _ in range(repeat):
            for who, (command, cores) in commands.items():
                with _served(command, cores) as (process, port):
                    for size in SIZES:
                        found[who][size].append(_rates(process, port, bodies[size], seconds))
                say(f"{who}: {found[who][SIZES[0]][-1][0]:,.0f}, {found[who][SIZES[1]][-1][0]:,.0f} requests a second")
    medians = {
        who: {str(size): [round(median(each), 1) for each in zip(*rates, strict=True)] for size, rates in sizes.items()}
        for who, sizes in found.items()
    }
    versions = our_versions() | {name: peer_versions(PEERS_PYTHON)[name] for name in ("scikit-learn", "fasttext-wheel")}
    return {"machine": machine(), "versions": versions, "repeat": repeat, "seconds": seconds, "rates": medians}


def _bodies(folder: Path, size: int) -> Path:
    texts = read_part(reviews_folder(), "test")["text"].to_pylist()[:: 25 if size == 1 else 8]
    groups = [texts[start : start + size] for start in range(0, len(texts) - size + 1, size)]
    path = folder / f"{size}.jsonl"
    path.write_text("".join(json.dumps({"texts": group}) + "\n" for group in groups), encoding="utf-8")
    return path


def _commands(checkpoints: dict[str, Path], folder: Path) -> dict[str, tuple[list[str], str]]:
    """The command and the cores of each server; the models of the peers are trained first."""
    ours = {
        name: ([sys.executable, "-m", "imdbclf", "serve", str(path), "--port"], _CORES[0])
        for name, path in checkpoints.items()
    }
    name, (command, _) = next(iter(ours.items()))
    # The port is the last word of a command.
    two = {f"{name}, 2 workers, both cores": ([*command[:-1], "--workers", "2", "--port"], ",".join(_CORES))}
    peers = {}
    for title, kind, training in (
        ("scikit-learn, bag of words", "sklearn", ("sklearn_words", "fit", "25000")),
        ("fastText", "fasttext", ("fasttext_model", "save")),
    ):
        module, function, *more = training
        model = folder / kind
        arguments = [function, str(reviews_folder()), str(model), *more]
        fit = [str(PEERS_PYTHON), "-m", f"benchmarks.peers.{module}", *arguments]
        subprocess.run(fit, check=True, cwd=folder, env=_environment(), stdout=subprocess.DEVNULL)
        peers[title] = [str(PEERS_PYTHON), "-m", "benchmarks.peers.serving", kind, str(model)], _CORES[0]
    return {**ours, **peers, **two}


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}


@contextmanager
def _served(command: Sequence[str], cores: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    pinned = ["taskset", "-c", cores, *command, str(port)]
    with subprocess.Popen(pinned, env=_environment(), stdout=subprocess.DEVNULL) as process:
        try:
            _wait(process, port)
            yield process, port
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until all workers have begun to answer."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/nothing", timeout=60):
                return
        except URLError as error:
            if getattr(error, "code", 0):
                time.sleep(3)
                return
            time.sleep(0.2)
    raise UserError(f"{process.args!r}: does not answer")


def _rates(process: subprocess.Popen[bytes], port: int, bodies: Path, seconds: int) -> tuple[float, float]:
    command = ["taskset", "-c", _CORES[1], "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "-s"]
    address = f"http://127.0.0.1:{port}/predict"
    before = _processor_seconds(process.pid)
    environment = os.environ | {"BODIES": str(bodies)}
    wrk = [*command, str(ROOT / "benchmarks" / "serve.lua"), address]
    said = subprocess.run(wrk, check=True, capture_output=True, text=True, env=environment).stdout
    if "Non-2xx" in said:
        raise UserError(f"{address}: answered with errors:\n{said}")
    count, rate = re.findall(r"(\d+) requests in", said)[0], re.findall(r"Requests/sec:\s+([\d.]+)", said)[0]
    return float(rate), float(count) / (_processor_seconds(process.pid) - before)


def _processor_seconds(pid: int) -> float:
    """Of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    own = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(map(_processor_seconds, map(int, children)))


@ending_in_one_line
def main() -> None:
    """Measure and write."""
    parser = parser_of_two_runs("bench-serve", __doc__, repeat=3)
    parser.add_argument("--seconds", type=int, default=5)
    given = parser.parse_args()
    for program in ("wrk", "taskset"):
        if shutil.which(program) is None:
            raise UserError(f"{program}: is not installed; on Debian: apt install wrk util-linux")
    checkpoints = {"imdbclf, lecture": given.lecture, "imdbclf, strong": given.strong}
    write_json(MEASURED / "serve.json", measure(checkpoints, given.repeat, given.seconds))


if __name__ == "__main__":
    main()
