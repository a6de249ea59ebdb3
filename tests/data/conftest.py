"""Fixtures of the data tests: the real reviews encoded once, a cache of `datasets` of their own, no network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn

import datasets
import pytest

from imdbclf.data.cache import LoadedCorpus, load_or_encode
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.sources.folder import FolderSource
from imdbclf.settings import DataSettings

PROXIES = [case(f"{kind}_proxy") for kind in ("http", "https", "all") for case in (str.lower, str.upper)]


@pytest.fixture(scope="session", autouse=True)
def _own_datasets_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what `datasets` prepares out of the home folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("datasets"))
        yield


@pytest.fixture(scope="session")
def encoded_imdb(real_imdb: Path, cache_folder: Path) -> LoadedCorpus:
    """The real reviews, encoded once a session."""
    return load_or_encode(FolderSource(real_imdb), cache_folder)


@pytest.fixture(scope="session")
def imdb_module(real_imdb: Path, encoded_imdb: LoadedCorpus, cache_folder: Path) -> ReviewDataModule:
    """The lecture's data module on the real reviews: 10,000 columns, 10,000 validation reviews, seed 0."""
    assert encoded_imdb.corpus
    module = ReviewDataModule(DataSettings(source=str(real_imdb), cache_dir=str(cache_folder)), seed=0)
    module.setup()
    return module


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to open a socket ends the test."""

    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.fixture
def unreachable_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without network and with an empty Hub cache; the folder is where that cache would be."""
    for name in ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "XDG_CACHE_HOME", *PROXIES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port, where no server listens
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    return tmp_path / "huggingface" / "hub"


@pytest.fixture
def silent_hub(unreachable_hub: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a Hub that accepts connections and never answers; the Hub's client gets it, too."""
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
    """The address of a Hub that answers every request in the way that the test's parameter names.

    `overloaded` is HTTP's 503, `login page` is a web page as of a hotel's network, `falls silent` answers at the root
    alone.
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
