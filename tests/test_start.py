"""What a start costs, counted rather than timed: modules imported, files opened, bytes read.

Each command runs in a process of its own, from a command line as people type it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from reports.helpers import predicted
from reports.sweep.helpers import write_sweep

from imdbclf.checkpoint import read_checkpoint
from imdbclf.data.cache import load_or_encode
from imdbclf.data.sources.files import FilesSource
from imdbclf.export.hub import write

HELP_DOES_WITHOUT = (
    "torch",
    "lightning",
    "numpy",
    "pyarrow",
    "hydra",
    "omegaconf",
    "rich",
    "matplotlib",
    "scipy",
    "datasets",
    "pandas",
    "torchmetrics",
)
"""What to say what the commands are does without; Typer itself takes pydantic to read a command line."""

COMPLETION_DOES_WITHOUT = tuple(name for name in HELP_DOES_WITHOUT if name != "rich")
"""Typer itself imports rich for zsh and fish, and says its helps without their sentence_ends."""

PREDICT_DOES_WITHOUT = (
    "lightning",
    "pytorch_lightning",
    "datasets",
    "huggingface_hub",
    "matplotlib",
    "pandas",
    "scipy",
    "hydra",
    "torchmetrics",
    "pyarrow",
)
"""What it takes no part of to classify a text."""

EVALUATE_DOES_WITHOUT = ("lightning", "pytorch_lightning", "datasets", "hydra")
REFUSING_DOES_WITHOUT = ("torch", "lightning", "pyarrow", "scipy", "matplotlib", "datasets", "pandas")
SWEEP_REPORT_DOES_WITHOUT = (
    "torch",
    "lightning",
    "hydra",
    "omegaconf",
    "pyarrow",
    "datasets",
    "pandas",
    "torchmetrics",
)
COMPARE_DOES_WITHOUT = ("torch", "lightning", "hydra", "matplotlib", "datasets", "pandas", "torchmetrics", "jinja2")
CACHED_TRAINING_DOES_WITHOUT = ("datasets", "pandas")

WATCHED = """
import atexit, json, sys

opened = []
sys.addaudithook(lambda event, about: opened.append(str(about[0])) if event == "open" else None)


def say(path):
    names = sorted(sys.modules)
    with open(path, "w", encoding="utf-8") as stream:
        json.dump({"modules": names, "opened": opened}, stream)


atexit.register(say, sys.argv.pop(1))
"""

COMMAND = WATCHED + "sys.argv[0] = 'imdbclf'\nfrom imdbclf.cli.main import main\nmain()\n"


class Start(NamedTuple):
    """What a process said, its status, and what it had imported and opened when it ended."""

    status: int
    out: str
    err: str
    modules: frozenset[str]
    opened: list[str]

    def packages(self, names: Sequence[str]) -> list[str]:
        """Those of the packages that were imported."""
        return [name for name in names if name in self.modules]


def started(script: str, *arguments: str, notes: Path, **environment: str) -> Start:
    """The script in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script, str(notes), *arguments],
        cwd=notes.parent,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, Any] = json.loads(notes.read_text(encoding="utf-8"))
    return Start(done.returncode, done.stdout, done.stderr, frozenset(found["modules"]), found["opened"])


def command(notes: Path, *arguments: str, **environment: str) -> Start:
    """`imdbclf ARGUMENTS`, watched."""
    return started(COMMAND, *arguments, notes=notes, **environment)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where a process leaves what was seen of it; the folder is where it runs."""
    return tmp_path / "notes.json"


def test_the_watch_sees_what_is_imported_and_opened(notes: Path, tmp_path: Path) -> None:
    (tmp_path / "some.txt").touch()
    script = WATCHED + "import numpy\nopen('some.txt').close()\nraise SystemExit(3)"
    seen = started(script, notes=notes)
    assert (seen.status, seen.packages(["numpy", "torch"])) == (3, ["numpy"])
    assert "some.txt" in seen.opened


@pytest.mark.parametrize(
    "arguments", [(), ("--help",), ("--version",), ("predict", "--help"), ("train", "--help")], ids=" ".join
)
def test_help_and_version_import_no_library_of_the_work(notes: Path, arguments: tuple[str, ...]) -> None:
    seen = command(notes, *arguments)
    assert (seen.status, seen.err) == (0, "")
    assert seen.out
    assert seen.packages(HELP_DOES_WITHOUT) == []


COMPLETIONS = {
    "bash": {"COMP_WORDS": "imdbclf pre", "COMP_CWORD": "1"},
    "zsh": {"_TYPER_COMPLETE_ARGS": "imdbclf pre"},
    "fish": {"_TYPER_COMPLETE_ARGS": "imdbclf pre", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


@pytest.mark.parametrize("shell", COMPLETIONS)
def test_completing_a_command_imports_no_library_of_the_work(notes: Path, shell: str) -> None:
    seen = command(notes, _IMDBCLF_COMPLETE=f"complete_{shell}", **COMPLETIONS[shell])
    assert (seen.status, seen.err) == (0, "")
    assert "predict" in seen.out
    assert seen.packages(COMPLETION_DOES_WITHOUT) == []


def test_a_mistake_on_the_command_line_imports_no_library_of_the_work(notes: Path) -> None:
    seen = command(notes, "prdict")
    assert seen.status == 2
    assert seen.packages(HELP_DOES_WITHOUT) == []


def test_predicting_imports_torch_and_nothing_that_training_needs(notes: Path, finished_run: Path) -> None:
    seen = command(notes, "predict", str(finished_run / "checkpoints/best.ckpt"), "A film to remember.")
    assert (seen.status, seen.err) == (0, "")
    assert seen.packages(["torch"]) == ["torch"]
    assert seen.packages(PREDICT_DOES_WITHOUT) == []


def test_predicting_with_an_exported_folder_imports_no_torch_and_reads_no_settings(
    notes: Path, finished_run: Path
) -> None:
    write(read_checkpoint(finished_run / "checkpoints/best.ckpt"), notes.parent / "model", half=False)
    seen = command(notes, "predict", "model", "A film to remember.")
    assert (seen.status, seen.err) == (0, "")
    assert seen.packages([*PREDICT_DOES_WITHOUT, "torch", "omegaconf", "rich", "imdbclf.settings"]) == []


def test_evaluating_imports_neither_lightning_nor_hydra_nor_datasets(notes: Path, finished_run: Path) -> None:
    seen = command(notes, "evaluate", str(finished_run / "checkpoints/best.ckpt"), "--json")
    assert (seen.status, json.loads(seen.out)["reviews"]) == (0, 200)
    assert seen.packages(EVALUATE_DOES_WITHOUT) == []


def test_reporting_a_sweep_imports_nothing_that_reads_reviews_or_networks(notes: Path, tmp_path: Path) -> None:
    folder = write_sweep(tmp_path / "sweep")
    seen = command(notes, "sweep-report", str(folder.path))
    assert (seen.status, seen.err) == (0, "")
    assert seen.packages(SWEEP_REPORT_DOES_WITHOUT) == []


def test_comparing_runs_imports_neither_torch_nor_what_draws(notes: Path, tmp_path: Path) -> None:
    runs = [
        str(predicted(tmp_path / name, ["a", "b"], [0, 1], [0.1, chance])) for name, chance in (("A", 0.9), ("B", 0.2))
    ]
    seen = command(notes, "compare", *runs)
    assert (seen.status, seen.err) == (0, "")
    assert seen.packages(COMPARE_DOES_WITHOUT) == []


@pytest.mark.parametrize("override", ["model.hidden=0", "model.hiden=3", "loss=bcee"])
def test_a_refused_training_imports_none_of_what_training_needs(notes: Path, override: str) -> None:
    seen = command(notes, "train", override)
    assert seen.status == 2
    assert seen.err.startswith("error: ")
    assert seen.packages(REFUSING_DOES_WITHOUT) == []


@pytest.fixture(scope="module")
def cached_training(
    tmp_path_factory: pytest.TempPathFactory, small: list[str], finished_run: Path, cache_folder: Path
) -> Start:
    """A run of reviews that another run has encoded before."""
    assert finished_run.is_dir()
    notes = tmp_path_factory.mktemp("cached") / "notes.json"
    return command(notes, "train", *small, "trainer.max_epochs=1", "hydra.run.dir=run", IMDBCLF_CACHE=str(cache_folder))


def test_training_on_encoded_reviews_imports_no_reader_of_datasets(cached_training: Start) -> None:
    assert cached_training.status == 0, cached_training.err
    assert "words from the cache" in cached_training.out
    assert cached_training.packages(CACHED_TRAINING_DOES_WITHOUT) == []


def test_training_on_encoded_reviews_opens_each_file_of_them_once(
    cached_training: Start, small_files: dict[str, Path]
) -> None:
    # Once, for their fingerprint; parsing would open them again.
    names = [str(path) for path in small_files.values()]
    assert sorted(name for name in cached_training.opened if name in names) == sorted(names)


LOADED = (
    WATCHED
    + """
from pathlib import Path
import pyarrow as pa
from imdbclf.data.cache import load_or_encode
from imdbclf.data.sources.files import FilesSource


def bytes_read():
    counts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counts["rchar"])


train, test, folder = map(Path, sys.argv[1:])
source = FilesSource(train, test)
assert load_or_encode(source, folder).from_cache  # imports everything that it needs
before = opened.copy(), bytes_read(), pa.total_allocated_bytes()
cached = load_or_encode(source, folder)
after = bytes_read(), pa.total_allocated_bytes()
print(json.dumps({
    "from_cache": cached.from_cache,
    "read": after[0] - before[1],
    "allocated": after[1] - before[2],
    "opened": opened[len(before[0]):],
    "reviews": {part: len(reviews) for part, reviews in cached.corpus.parts.items()},
    "table bytes": sum(reviews.table.nbytes for reviews in cached.corpus.parts.values()),
}))
"""
)


class Loading(NamedTuple):
    """What a load of encoded reviews took, and what there was to take."""

    data: dict[str, Path]
    cache: Path
    read: int
    allocated: int
    opened: list[str]
    table_bytes: int


@pytest.fixture(scope="module")
def loading(tmp_path_factory: pytest.TempPathFactory, small_files: dict[str, Path], cache_folder: Path) -> Loading:
    """Encoded reviews, loaded in a fresh process."""
    load_or_encode(FilesSource(small_files["train"], small_files["test"]), cache_folder)
    notes = tmp_path_factory.mktemp("loading") / "notes.json"
    paths = [str(path) for path in (small_files["train"], small_files["test"], cache_folder)]
    seen = started(LOADED, *paths, notes=notes)
    assert seen.status == 0, seen.err
    found = json.loads(seen.out)
    assert found["from_cache"]
    assert found["reviews"] == {"train": 600, "test": 200}
    return Loading(small_files, cache_folder, found["read"], found["allocated"], found["opened"], found["table bytes"])


def test_loading_encoded_reviews_opens_a_file_of_them_at_most_once(loading: Loading) -> None:
    names = [str(path) for path in loading.data.values()]
    assert all(loading.opened.count(name) <= 1 for name in names)
    # Of the cache, Python itself opens the description alone; the tables are mapped.
    inside = {Path(name).name for name in loading.opened if Path(name).is_relative_to(loading.cache)}
    assert inside == {"about.json"}


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="only Linux counts the bytes that a process reads")
def test_loading_encoded_reviews_reads_no_more_than_a_fingerprint_and_a_description(loading: Loading) -> None:
    # Parsing would read the data a second time, with any library; tables that are not memory-mapped count, too.
    data = sum(path.stat().st_size for path in loading.data.values())
    assert loading.read <= data + 32_000 < data + min(data, loading.table_bytes)


def test_encoded_reviews_are_mapped_not_read_into_memory(loading: Loading) -> None:
    assert loading.allocated <= 10_000 < loading.table_bytes
