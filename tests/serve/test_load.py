"""Two minutes of clients that do everything wrong, and of some that do not."""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

import pytest
from commands import start

from serve.conftest import Client

SECONDS = 120
WARM_SECONDS = 20
MORE_MEMORY_MB = 20

HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"


def well(client: Client, draw: random.Random) -> int:
    texts = ["a wonderful film " * draw.randrange(100)] * draw.randrange(40)
    return client.post(draw.choice(["/predict", "/explain"]), {"texts": texts})[0]


def broken(client: Client, draw: random.Random) -> int:
    body = json.dumps({"texts": ["a film", 1]}).encode()
    return client.ask("POST", "/predict", body[: draw.randrange(len(body))] + draw.randbytes(draw.randrange(9)))[0]


def huge(client: Client, draw: random.Random) -> int:
    return client.post("/predict", {"texts": ["a" * draw.randrange(10_000_000)]})[0]


def elsewhere(client: Client, draw: random.Random) -> int:
    return client.get(draw.choice(["/", "/metrics", "/health", "/no", "/predict"]))[0]


def aborted(client: Client, draw: random.Random) -> int:
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as short:
        short.sendall(draw.choice([HEAD[: draw.randrange(len(HEAD))], HEAD + b"{", draw.randbytes(200)]))
        time.sleep(draw.random() / 10)
    return 400


def slow(client: Client, draw: random.Random) -> int:
    with socket.create_connection(("127.0.0.1", client.port), timeout=30) as waiting:
        waiting.sendall(HEAD + draw.randbytes(10))
        return int(waiting.recv(4096).split()[1])


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1e3


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux shows the memory of a process")
def test_the_server_survives_two_minutes_of_anything(finished_run: Path, tmp_path: Path) -> None:
    seen: Counter[tuple[str, int]] = Counter()
    end = time.monotonic() + SECONDS

    def keep_asking(client: Client, ask: Callable[[Client, random.Random], int], seed: int) -> None:
        draw = random.Random(seed)  # noqa: S311 - no secret
        while time.monotonic() < end:
            # A refused body may end the connection before all of it is sent.
            with contextlib.suppress(OSError, HTTPException):
                seen[ask.__name__, ask(client, draw)] += 1

    with start("serve", str(finished_run), "--port", "0", cwd=tmp_path) as process:
        assert process.stdout is not None
        client = Client(int(re.findall(r":(\d+): ready", process.stdout.readline())[0]))
        kinds = [well, well, well, broken, huge, elsewhere, aborted, slow, slow]
        threads = [threading.Thread(target=keep_asking, args=(client, ask, seed)) for seed, ask in enumerate(kinds)]
        for thread in threads:
            thread.start()
        time.sleep(WARM_SECONDS)
        before = memory_mb(process.pid)
        for thread in threads:
            thread.join()
        assert client.post("/predict", {"texts": ["a film"]})[0] == 200
        after = memory_mb(process.pid)
        process.terminate()
        said = process.stdout.read()
    assert said == ""
    assert {kind for kind, _ in seen} == {ask.__name__ for ask in kinds}
    assert {status for kind, status in seen if kind == "well"} == {200}
    assert {status for _, status in seen} <= {200, 400, 404, 405, 408, 413, 503}, seen
    assert after - before <= MORE_MEMORY_MB, (before, after)
