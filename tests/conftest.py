"""What every test finds: a cache of its own for the session, no source from outside, and the real reviews if there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REAL_IMDB = Path(__file__).parents[2] / "shared" / "imdb"


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the session, so that the sample and the real reviews are encoded once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, cache_folder: Path) -> None:
    monkeypatch.setenv("IMDBCLF_CACHE", str(cache_folder))
    for name in ("IMDBCLF_DATA", "HYDRA_FULL_ERROR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def real_imdb() -> Path:
    """The folder of the real reviews; tests that need them are skipped where they are not."""
    if os.environ.get("IMDBCLF_TEST_DATA"):
        return Path(os.environ["IMDBCLF_TEST_DATA"])
    if not REAL_IMDB.is_dir():
        pytest.skip("the real reviews are not here; IMDBCLF_TEST_DATA names their folder")
    return REAL_IMDB
