"""Fixtures of the data tests: the real reviews encoded once, a cache of `datasets` of their own, no network."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import datasets
import pytest

from imdbclf.data.cache import CachedCorpus, load_or_encode
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
def encoded_imdb(real_imdb: Path, cache_folder: Path) -> CachedCorpus:
    """The real reviews, encoded once a session."""
    return load_or_encode(FolderSource(real_imdb), cache_folder)


@pytest.fixture(scope="session")
def imdb_module(real_imdb: Path, encoded_imdb: CachedCorpus, cache_folder: Path) -> ReviewDataModule:
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
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the port for what is to be thrown away; nobody listens
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    return tmp_path / "huggingface" / "hub"
