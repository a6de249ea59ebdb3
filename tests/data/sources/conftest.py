"""Hubs that are there and of no use: one never says a word, the others have only one thing to say."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@pytest.fixture
def silent_hub(unreachable_hub: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of one that accepts connections and never says a word; the Hub's client is told it, too."""
    assert not unreachable_hub.exists()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield address


@pytest.fixture
def useless_hub(
    unreachable_hub: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The address of one that answers every request in the one way that the test's parameter names.

    `overloaded` is HTTP's 503, `login page` is what a hotel's network says, `falls silent` says yes to whoever asks
    whether it is there and nothing more.
    """
    assert not unreachable_hub.exists()
    closing = threading.Event()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if request.param == "falls silent" and "/api/" in self.path:
                closing.wait(60)
                return
            self.send_response(503 if request.param == "overloaded" else 200)
            self.end_headers()
            self.wfile.write(b"<html>Please log in</html>")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield address
        closing.set()
        server.shutdown()
