"""A server on a port of this machine, and a client."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from uvicorn import Server

from imdbclf.inference.predictor import Predictor
from imdbclf.serve.app import make_app
from imdbclf.serve.server import config_of


class Client:
    """Asks a server; an answer is its status and its JSON, or its text."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            text = answer.read().decode()
            kind = answer.headers["content-type"]
            return answer.status, json.loads(text) if kind == "application/json" else text
        finally:
            connection.close()

    def get(self, path: str) -> tuple[int, Any]:
        return self.ask("GET", path)

    def post(self, path: str, content: object) -> tuple[int, Any]:
        return self.ask("POST", path, json.dumps(content).encode())


@pytest.fixture(scope="session")
def predictor(finished_run: Path) -> Predictor:
    return Predictor.from_checkpoint(finished_run / "checkpoints" / "best.ckpt")


@pytest.fixture(scope="session")
def client(predictor: Predictor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a server in a thread, with uvicorn's own settings of `imdbclf serve`."""
    server = Server(config_of(partial(make_app, predictor, tmp_path_factory.mktemp("counts"))))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Client(listener.getsockname()[1])
        server.should_exit = True
        thread.join()
