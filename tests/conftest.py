"""What every test finds: a cache of its own for the session, no source from outside, and the real reviews if there."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Protocol

import filelock
import hypothesis
import pytest
from commands import made
from matplotlib.figure import Figure

from imdbclf.console import TerminalHandler
from imdbclf.data.sources.sample import draw_reviews
from imdbclf.startup import fast_imports

# A machine with other work takes many times as long for an example; that is no failure.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

REAL_IMDB = Path(__file__).parents[2] / "shared" / "imdb"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """The libraries that tests import are no garbage; searching them for some at every collection takes long."""
    with fast_imports():
        return (yield)


class Once(Protocol):
    """Makes a folder once for all of pytest's workers; whichever needs it first makes it."""

    def __call__(self, name: str, make: Callable[[Path], object]) -> Path:
        """The folder of this name, after `make` has filled it."""
        ...


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """What fixtures of the session use for what tests only read."""
    own = tmp_path_factory.getbasetemp()
    place = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / "once"

    def made_once(name: str, make: Callable[[Path], object]) -> Path:
        folder, finished = place / name, place / f"{name}.finished"
        place.mkdir(exist_ok=True)
        with filelock.FileLock(place / f"{name}.lock"):
            if not finished.exists():
                make(folder)
                finished.touch()
        return folder

    return made_once


@pytest.fixture(scope="session")
def cache_folder(once: Once) -> Path:
    """One cache for the session, so that the sample and the real reviews are encoded once."""
    return once("cache", Path.mkdir)


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, cache_folder: Path) -> None:
    monkeypatch.setenv("IMDBCLF_CACHE", str(cache_folder))
    for name in ("IMDBCLF_DATA", "HYDRA_FULL_ERROR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _empty_plots(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands write plots without content, as drawing takes a third of a small run.

    What session-wide fixtures make has its plots, and tests of reports draw theirs.
    """
    if not {"reports", "benchmarks"} & {*request.path.parent.relative_to(Path(__file__).parent).parts}:
        monkeypatch.setattr(Figure, "draw", lambda *_: None)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A run sets up logging for its process; the next test finds it as it was."""
    root = logging.getLogger()
    # Session-wide runs may have been made before this test began.
    handlers = [handler for handler in root.handlers if not isinstance(handler, (TerminalHandler, logging.FileHandler))]
    root.handlers[:], level = handlers, logging.WARNING
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    for logger in logging.Logger.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.fixture(scope="session")
def real_imdb() -> Path:
    """The folder of the real reviews; tests that need them are skipped where they are not."""
    if os.environ.get("IMDBCLF_TEST_DATA"):
        return Path(os.environ["IMDBCLF_TEST_DATA"])
    if not REAL_IMDB.is_dir():
        pytest.skip("the real reviews are not here; IMDBCLF_TEST_DATA names their folder")
    return REAL_IMDB


@pytest.fixture(scope="session")
def small_files(once: Once) -> dict[str, Path]:
    """600 training and 200 test reviews of the sample as JSON Lines: enough to learn from in a moment."""
    parts: tuple[tuple[Literal["train", "test"], int], ...] = (("train", 600), ("test", 200))

    def write(folder: Path) -> None:
        folder.mkdir()
        for part, count in parts:
            rows = draw_reviews(part).slice(0, count).to_pylist()
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / f"{part}.jsonl").write_text(lines, encoding="utf-8")

    folder = once("reviews", write)
    return {part: folder / f"{part}.jsonl" for part, _ in parts}


@pytest.fixture(scope="session")
def small(small_files: dict[str, Path]) -> list[str]:
    """The overrides that make a run small: those reviews, 500 columns, 3 epochs."""
    return [
        "data=files",
        *(f"data.{part}={path}" for part, path in small_files.items()),
        "features.columns=500",
        "data.val_size=200",
        "data.batch_size=64",
        "trainer.max_epochs=3",
    ]


@pytest.fixture(scope="session")
def small_ngrams(small: list[str]) -> list[str]:
    """The same with n-grams: chosen and weighted by the labels, rows of length 1, terms left out in training."""
    return [*small, "features=ngrams", "features.columns=2000", "features.dropout=0.3"]


@pytest.fixture
def open_files_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of Windows: a file that this process has open cannot be removed."""
    open_files, unlink = Path("/proc/self/fd"), os.unlink
    if not open_files.is_dir():
        pytest.skip("this system does not list the open files of a process")

    def unlink_if_closed(path: Path, **options: int) -> None:
        if Path(path).absolute() in {file.readlink() for file in open_files.iterdir() if file.is_symlink()}:
            raise PermissionError(errno.EACCES, "is used by a process", str(path))
        unlink(path, **options)

    monkeypatch.setattr(os, "unlink", unlink_if_closed)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def finished_run(once: Once, small: list[str], cache_folder: Path) -> Path:
    """The folder of a small run, made once; tests only read it."""
    return once("finished_run", lambda folder: made(cache_folder, "train", *small, f"hydra.run.dir={folder}"))


@pytest.fixture(scope="session")
def ngram_run(once: Once, small_ngrams: list[str], cache_folder: Path) -> Path:
    """The folder of a small run on n-grams, made once; tests only read it."""
    return once("ngram_run", lambda folder: made(cache_folder, "train", *small_ngrams, f"hydra.run.dir={folder}"))
