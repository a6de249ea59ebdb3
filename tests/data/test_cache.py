from __future__ import annotations

import json
import subprocess
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import filelock
import numpy as np
import platformdirs
import pyarrow as pa
import pytest

from data.helpers import TEST, TRAIN, hub_cache, read_back, table, write_hub_layout, write_json_lines
from imdbclf.data import cache
from imdbclf.data.cache import LoadedCorpus, cache_folder, cache_key, load_cached, load_or_encode
from imdbclf.data.sources.base import Reviews
from imdbclf.data.sources.files import FilesSource
from imdbclf.data.sources.folder import FolderSource
from imdbclf.data.sources.hub import HubSource
from imdbclf.data.sources.sample import SampleSource
from imdbclf.settings import SourceSettings


@dataclass
class CountedSource:
    """Eight and three reviews, and how often they have been read."""

    content: str = "one"
    readings: list[int] = field(default_factory=list)
    description: str = "counted reviews"

    def fingerprint(self) -> str:
        return self.content

    def read(self) -> Reviews:
        self.readings.append(threading.get_ident())
        return Reviews({"train": table(TRAIN), "test": table(TEST)}, ("bad", "good"))


def equal(one: LoadedCorpus, other: LoadedCorpus) -> bool:
    return (
        one.label_names == other.label_names
        and bool(one.corpus.dictionary.equals(other.corpus.dictionary))
        and list(one.corpus.parts) == list(other.corpus.parts)
        and all(reviews.table.equals(other.corpus.parts[part].table) for part, reviews in one.corpus.parts.items())
    )


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def entry_of(source: CountedSource, folder: Path) -> Path:
    load_or_encode(source, folder)
    return folder / cache_key(source)


def test_the_second_load_reads_the_cache_and_is_equal(tmp_path: Path) -> None:
    source = CountedSource()
    first, second = load_or_encode(source, tmp_path), load_or_encode(source, tmp_path)
    assert (first.from_cache, second.from_cache) == (False, True)
    assert len(source.readings) == 1
    assert equal(first, second)
    assert second.label_names == ("bad", "good")


@pytest.mark.usefixtures("no_network")
def test_the_second_load_of_a_folder_needs_no_network(tmp_path: Path) -> None:
    source = FolderSource(write_hub_layout(tmp_path / "imdb"))
    assert equal(load_or_encode(source, tmp_path / "cache"), load_or_encode(source, tmp_path / "cache"))


def test_entries_of_these_versions_are_found_by_the_same_keys() -> None:
    # The keys change with WORDS_VERSION, ENCODING_VERSION, SAMPLE_VERSION and the columns of SCHEMA alone.
    assert cache_key(SampleSource()) == "be033b13df3e28469ee7f425"
    assert cache_key(SampleSource(), sentence_ends=True) == "57828aae08ba090e0da072ff"


@pytest.mark.usefixtures("no_network")
def test_a_pinned_hub_dataset_loads_from_the_cache_without_network_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    write_hub_layout(hub_cache(tmp_path / "home" / "hub"))
    first = load_or_encode(HubSource("stanfordnlp/imdb"), tmp_path / "cache")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "empty"))
    second = load_or_encode(HubSource("stanfordnlp/imdb"), tmp_path / "cache")
    assert second.from_cache
    assert equal(first, second)


def test_other_content_is_another_entry(tmp_path: Path) -> None:
    load_or_encode(CountedSource("one"), tmp_path)
    assert not load_or_encode(CountedSource("two"), tmp_path).from_cache
    assert load_or_encode(CountedSource("one"), tmp_path).from_cache


@pytest.mark.parametrize("version", ["WORDS_VERSION", "ENCODING_VERSION"])
def test_a_new_version_of_words_or_tables_is_another_entry(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_or_encode(CountedSource(), tmp_path)
    monkeypatch.setattr(cache, version, 99)
    assert not load_or_encode(CountedSource(), tmp_path).from_cache


@pytest.mark.parametrize("about", ["", "{", "{}", "null", "[]", "5"])
def test_a_damaged_description_is_said_in_one_line_and_the_reviews_are_encoded_again(
    about: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = CountedSource()
    entry = entry_of(source, tmp_path)
    (entry / "about.json").write_text(about, encoding="utf-8")
    check_made_again(source, tmp_path, caplog)


@pytest.mark.parametrize("label_names", [None, ["bad"], "missing"], ids=["null", "one", "missing"])
def test_damaged_label_names_are_said_in_one_line_and_the_reviews_are_encoded_again(
    label_names: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = CountedSource()
    path = entry_of(source, tmp_path) / "about.json"
    about = json.loads(path.read_text(encoding="utf-8")) | {"label_names": label_names}
    if label_names == "missing":
        del about["label_names"]
    path.write_text(json.dumps(about), encoding="utf-8")
    check_made_again(source, tmp_path, caplog)


@pytest.mark.parametrize("name", ["dictionary.arrow", "train.arrow", "test.arrow"])
@pytest.mark.parametrize("damage", ["cut", "emptied", "zeroed", "gone"])
def test_a_damaged_table_is_said_in_one_line_and_the_reviews_are_encoded_again(
    name: str, damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = CountedSource()
    file = entry_of(source, tmp_path) / name
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes({"cut": content[:-10], "emptied": b"", "zeroed": bytes(len(content))}[damage])
    check_made_again(source, tmp_path, caplog)


def test_every_flipped_bit_and_every_zeroed_block_is_noticed(tmp_path: Path) -> None:
    source, rng = CountedSource(), np.random.default_rng(0)
    entry = entry_of(source, tmp_path)
    files = {file: file.read_bytes() for file in entry.iterdir()}
    for number in range(200):
        file, data = list(files.items())[number % len(files)]
        changed, place = bytearray(data), int(rng.integers(len(data)))
        if number % 3:
            changed[place] ^= 1 << int(rng.integers(8))
        else:
            changed[place : place + 4096] = bytes(len(changed[place : place + 4096]))
        file.write_bytes(changed)
        assert (load_cached(source, tmp_path) is None) == (changed != data)
        file.write_bytes(data)
    assert load_cached(source, tmp_path) is not None


def test_a_label_name_of_another_letter_is_damage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = CountedSource()
    path = entry_of(source, tmp_path) / "about.json"
    path.write_text(path.read_text(encoding="utf-8").replace("good", "gold"), encoding="utf-8")
    check_made_again(source, tmp_path, caplog)


def test_an_entry_from_before_there_were_checksums_is_made_again(tmp_path: Path) -> None:
    source = CountedSource()
    path = entry_of(source, tmp_path) / "about.json"
    path.write_text('{"parts": ["train", "test"], "label_names": ["bad", "good"]}', encoding="utf-8")
    assert not load_or_encode(source, tmp_path).from_cache
    assert load_or_encode(source, tmp_path).from_cache


STALE = ".0123456789abcdef01234567-x3b_q9zk"


def test_what_a_killed_process_left_is_removed_at_the_next_start_and_nothing_else(tmp_path: Path) -> None:
    others = [".thesis-01234567", f"{STALE}0", STALE[1:], ".git"]
    for name in (STALE, *others):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.arrow").write_bytes(b"half")
    source = CountedSource()
    entry = entry_of(source, tmp_path)
    left = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert left == {*others, entry.name}


def test_what_another_process_writes_at_the_moment_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / STALE).mkdir()
    script = "import sys, filelock\nwith filelock.FileLock(sys.argv[1]): print('held', flush=True); input()"
    command = [sys.executable, "-c", script, str(tmp_path / f"{STALE[1:25]}.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        load_or_encode(CountedSource(), tmp_path)
        assert (tmp_path / STALE).is_dir()
        process.kill()
    load_or_encode(CountedSource(), tmp_path)
    assert not (tmp_path / STALE).exists()


def check_made_again(source: CountedSource, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    again = load_or_encode(source, folder)
    assert not again.from_cache
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line.startswith(f"The cached reviews in {folder / cache_key(source)} are damaged (")
    assert line.endswith("); encoding them again.")
    assert "\n" not in line
    assert equal(load_or_encode(source, folder), again)
    assert len(source.readings) == 2
    assert names_in(folder) == [cache_key(source), f"{cache_key(source)}.lock"]


def test_threads_that_load_at_once_encode_once(tmp_path: Path) -> None:
    source = CountedSource()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: load_or_encode(source, tmp_path), range(4)))
    assert len(source.readings) == 1
    assert sorted(one.from_cache for one in found) == [False, True, True, True]
    assert all(equal(found[0], one) for one in found)


def test_processes_that_load_at_once_encode_once(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path / "imdb")
    (folder / "plain_text" / "train-00000-of-00001.parquet").rename(tmp_path / "train.parquet")
    script = (
        "import sys; from pathlib import Path\n"
        "from imdbclf.data.cache import load_or_encode; from imdbclf.data.sources.files import FilesSource\n"
        "found = load_or_encode(FilesSource(Path(sys.argv[1]), None), Path(sys.argv[2]))\n"
        "print(found.from_cache, found.corpus.parts['train'].review_names())\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "train.parquet"), str(tmp_path / "cache")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    lines = sorted(process.communicate(timeout=60)[0] for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    assert [line.split(" ", 1)[0] for line in lines] == ["False", "True"]
    assert lines[0].split(" ", 1)[1] == lines[1].split(" ", 1)[1]


def test_a_folder_that_cannot_be_made_is_said_and_the_work_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    found = load_or_encode(CountedSource(), tmp_path / "file" / "cache")
    assert len(found.corpus.parts["train"]) == 8
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line == f"No cache in {tmp_path / 'file' / 'cache'} (Not a directory); continuing without it."


def test_an_entry_that_cannot_be_put_in_place_is_said_and_leaves_nothing_half_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = CountedSource()
    (tmp_path / cache_key(source)).write_text("in the way", encoding="utf-8")
    found = load_or_encode(source, tmp_path)
    assert len(found.corpus.parts["train"]) == 8
    assert len(source.readings) == 1
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line.startswith("The cache needs ")
    assert line.endswith(" MB and cannot be written (Not a directory); continuing without.")
    assert names_in(tmp_path) == [cache_key(source), f"{cache_key(source)}.lock"]


def test_a_whole_entry_is_used_without_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    source = CountedSource()
    entry_of(source, tmp_path)
    monkeypatch.setattr(filelock.FileLock, "acquire", refused)
    assert load_or_encode(source, tmp_path).from_cache


def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    source = CountedSource()
    with monkeypatch.context() as patch:
        patch.setattr(pa.ipc, "new_file", full)
        assert len(load_or_encode(source, tmp_path).corpus.parts["train"]) == 8
    assert len(source.readings) == 1
    assert "cannot be written (No space left on device); continuing without." in caplog.text
    assert names_in(tmp_path) == [f"{cache_key(source)}.lock"]
    assert not load_or_encode(source, tmp_path).from_cache


def test_a_source_that_cannot_be_read_is_not_blamed_on_the_cache(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Vanished(CountedSource):
        def read(self) -> Reviews:
            self.readings.append(0)
            raise FileNotFoundError(2, "No such file or directory", "reviews.csv")

    source = Vanished()
    with pytest.raises(FileNotFoundError, match=r"reviews\.csv"):
        load_or_encode(source, tmp_path)
    assert len(source.readings) == 1
    assert "No cache" not in caplog.text


def test_reviews_without_any_words_are_kept_and_found_again(tmp_path: Path) -> None:
    class Wordless(CountedSource):
        def read(self) -> Reviews:
            return Reviews({"train": table([("", 0), ("...", 1)])}, ("neg", "pos"))

    load_or_encode(Wordless(), tmp_path)
    found = load_or_encode(Wordless(), tmp_path)
    assert found.from_cache
    assert sorted(read_back(found.corpus, found.corpus.parts["train"])) == [([], 0), ([], 1)]


def test_the_folder_is_the_chosen_one_else_the_variable_else_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMDBCLF_CACHE", "~/named")
    assert cache_folder("chosen") == Path("chosen")
    assert cache_folder("~/chosen") == Path.home() / "chosen"
    assert cache_folder() == Path.home() / "named"
    monkeypatch.delenv("IMDBCLF_CACHE")
    assert cache_folder() == Path(platformdirs.user_cache_dir("imdbclf", appauthor=False))


def test_the_real_reviews_open_without_being_copied_into_memory(encoded_imdb: LoadedCorpus, real_imdb: Path) -> None:
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        found = load_or_encode(FolderSource(real_imdb), cache_folder())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.from_cache
    assert len(found.corpus.parts["train"].words) == len(encoded_imdb.corpus.parts["train"].words) == 5_942_841
    # Their words alone take 24 MB.
    assert pa.total_allocated_bytes() - before < 1e6
    assert peak < 2e6


def test_the_real_reviews_are_25000_and_25000_half_of_them_positive(encoded_imdb: LoadedCorpus) -> None:
    parts = encoded_imdb.corpus.parts
    assert {part: (len(reviews), int(reviews.labels.sum())) for part, reviews in parts.items()} == {
        "train": (25_000, 12_500),
        "test": (25_000, 12_500),
    }
    assert encoded_imdb.label_names == ("neg", "pos")


def test_the_real_reviews_have_the_known_repeats(encoded_imdb: LoadedCorpus) -> None:
    train, test = (set(encoded_imdb.corpus.parts[part].ids.tolist()) for part in ("train", "test"))
    assert (25_000 - len(train), 25_000 - len(test), len(train & test)) == (96, 199, 123)


def test_the_real_reviews_have_names_of_their_own(encoded_imdb: LoadedCorpus) -> None:
    for reviews in encoded_imdb.corpus.parts.values():
        assert len(set(reviews.review_names())) == 25_000


def test_groups_survive_the_cache(tmp_path: Path) -> None:
    rows = [{"text": f"film {number}", "label": number % 2, "film": number // 3} for number in range(9)]
    source = FilesSource(write_json_lines(tmp_path / "a.jsonl", rows), None, SourceSettings(group="film"))
    first, second = (load_or_encode(source, tmp_path / "cache") for _ in range(2))
    assert second.from_cache
    assert equal(first, second)
    assert len(set(np.asarray(second.corpus.parts["train"].groups).tolist())) == 3
