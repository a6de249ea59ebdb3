"""A server of one checkpoint: a socket, workers, and limits on connections."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import typer
from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.supervisors import Multiprocess

from imdbclf.errors import UserError
from imdbclf.inference.predictor import Predictor
from imdbclf.serve.app import make_app

MOST_CONNECTIONS = 512
"""Connections of a worker; more get the status 503."""

IDLE_SECONDS = 5
STOP_SECONDS = 10
"""Seconds that requests have to end when the server is stopped."""

START_SECONDS = 60
"""Seconds after which a worker that says nothing is replaced; it imports its libraries before it says something."""


def serve(path: Path, host: str, port: int, workers: int) -> None:
    """Serve a checkpoint until a signal stops it.

    Raises:
        UserError: if the address cannot be used, or as in `Predictor.load`.
    """
    with _listening(host, port) as listener, tempfile.TemporaryDirectory() as folder:
        predictor = Predictor.load(path)
        typer.echo(f"http://{_address(listener)}: ready (Ctrl-C stops it)")
        if workers > 1:
            config = config_of(partial(_load, path, Path(folder)))
            config.workers = workers
            Multiprocess(config, sockets=[listener]).run()
        else:
            Server(config_of(partial(make_app, predictor, Path(folder)))).run(sockets=[listener])


def _load(path: Path, folder: Path) -> ASGIApp:
    """The application of a worker, which is a process of its own."""
    return make_app(Predictor.load(path), folder)


def config_of(make: Callable[[], ASGIApp]) -> Config:
    """Uvicorn's settings for what makes the application."""
    return Config(
        make,
        factory=True,
        lifespan="off",
        access_log=False,
        log_level="error",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_worker_healthcheck=START_SECONDS,
    )


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        host.encode("idna")  # where this fails, the socket would stay open
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None) or 0
        why = os.strerror(number).lower() if number > 0 else getattr(error, "strerror", error)
        raise UserError(f"--host {host} --port {port}: cannot be used: {why}; give others") from error


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
