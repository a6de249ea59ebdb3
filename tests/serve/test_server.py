"""`imdbclf serve` as a command."""

from __future__ import annotations

import re
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest
from commands import run, start

from serve.conftest import Client

Capture = pytest.CaptureFixture[str]


def test_a_port_in_use_is_refused_before_any_work(tmp_path: Path, capsys: Capture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = run(capsys, "serve", str(tmp_path / "none.ckpt"), "--port", port)
    assert (result.status, result.out) == (2, "")
    assert result.err == f"error: --host 127.0.0.1 --port {port}: cannot be used: address already in use; give others\n"


@pytest.mark.parametrize("host", ["203.0.113.1", "ä" * 70])
def test_a_host_that_is_not_here_is_refused(tmp_path: Path, capsys: Capture, host: str) -> None:
    result = run(capsys, "serve", str(tmp_path / "none.ckpt"), "--host", host)
    assert result.status == 2
    assert f"--host {host} --port 8000: cannot be used: " in result.err


def test_a_missing_checkpoint_is_refused(tmp_path: Path, capsys: Capture) -> None:
    result = run(capsys, "serve", str(tmp_path / "none.ckpt"), "--port", "0")
    assert (result.status, result.err.count("\n")) == (2, 1)


def test_a_missing_extra_is_named(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "imdbclf.serve.server", raising=False)
    result = run(capsys, "serve", str(tmp_path / "none.ckpt"))
    assert result.status == 2
    assert result.err.startswith("error: serve: needs uvicorn; install it with: ")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_stopped_server_answers_what_it_has_begun(finished_run: Path, tmp_path: Path, workers: int) -> None:
    with start("serve", str(finished_run), "--port", "0", "--workers", str(workers), cwd=tmp_path) as process:
        assert process.stdout is not None
        port = int(re.findall(r"http://127\.0\.0\.1:(\d+): ready", process.stdout.readline())[0])
        assert Client(port).get("/health")[0] == 200
        with socket.create_connection(("127.0.0.1", port), timeout=10) as asking:
            body = b'{"texts": ["a film"]}'
            asking.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n{" % len(body))
            later = threading.Timer(1, asking.sendall, [body[1:]])
            later.start()
            threading.Timer(0.5, process.send_signal, [signal.SIGTERM]).start()
            assert asking.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert process.wait(20) in {0, -signal.SIGTERM}
        assert "Traceback" not in process.stdout.read()
