from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from data.helpers import TEST, TRAIN, contents, hub_cache, table, write_acl_tree, write_hub_layout, write_json_lines
from imdbclf.data.cache import load_or_encode
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.load_corpus import choose_source, open_source
from imdbclf.data.sources.acl_imdb import AclImdbSource
from imdbclf.data.sources.base import Source
from imdbclf.data.sources.files import FilesSource
from imdbclf.data.sources.folder import FolderSource
from imdbclf.data.sources.hub import HubSource
from imdbclf.data.sources.sample import SampleSource
from imdbclf.data.sweep_cache import decided_source
from imdbclf.errors import UserError
from imdbclf.settings import DataSettings, FeatureSettings, SourceSettings


@pytest.mark.usefixtures("unreachable_hub")
def test_auto_is_what_the_variable_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_hub_layout(tmp_path / "reviews")
    monkeypatch.setenv("IMDBCLF_DATA", str(folder))
    chosen = choose_source(DataSettings())
    assert (chosen.settings.source, chosen.because) == (str(folder), "IMDBCLF_DATA names it")
    assert contents(open_source(DataSettings()).read()) == {"train": TRAIN, "test": TEST}


@pytest.mark.usefixtures("no_network")
def test_auto_is_imdb_where_the_hubs_cache_has_it(unreachable_hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_hub_layout(hub_cache(unreachable_hub))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    chosen = choose_source(DataSettings())
    assert (chosen.settings.source, chosen.because) == ("stanfordnlp/imdb", "IMDBCLF_DATA is not set")
    assert contents(open_source(DataSettings()).read()) == {"train": TRAIN, "test": TEST}


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("sentence_ends", [False, True])
def test_auto_is_imdb_once_it_has_been_encoded_although_the_hub_and_its_cache_are_gone(
    unreachable_hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sentence_ends: bool
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    settings = DataSettings(cache_dir=str(tmp_path / "encoded"))
    layout = write_hub_layout(hub_cache(unreachable_hub))
    load_or_encode(open_source(settings), tmp_path / "encoded", sentence_ends=sentence_ends)
    shutil.rmtree(layout)
    assert choose_source(settings).settings.source == "stanfordnlp/imdb"
    assert load_or_encode(open_source(settings), tmp_path / "encoded", sentence_ends=sentence_ends).from_cache
    assert choose_source(DataSettings(cache_dir=str(tmp_path / "other"))).settings.source == "sample"


@pytest.mark.usefixtures("unreachable_hub")
def test_auto_is_the_sample_where_the_hub_cannot_be_reached() -> None:
    chosen = choose_source(DataSettings())
    assert chosen.settings.source == "sample"
    assert chosen.because == "IMDBCLF_DATA is not set and the Hub (127.0.0.1) cannot be reached"


@pytest.mark.usefixtures("unreachable_hub", "no_network")
def test_auto_is_the_sample_where_fetching_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    chosen = choose_source(DataSettings())
    assert chosen.settings.source == "sample"
    assert chosen.because == (
        "IMDBCLF_DATA is not set and the dataset is not in the Hub cache while HF_HUB_OFFLINE is set"
    )


def test_the_variable_comes_before_the_hubs_cache(
    unreachable_hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_hub_layout(hub_cache(unreachable_hub))
    monkeypatch.setenv("IMDBCLF_DATA", str(write_acl_tree(tmp_path / "aclImdb")))
    assert isinstance(open_source(DataSettings()), AclImdbSource)


CHOOSE = """
import time
start = time.monotonic()
from imdbclf.data.load_corpus import choose_source
from imdbclf.settings import DataSettings
chosen = choose_source(DataSettings())
print(chosen.settings.source, round(time.monotonic() - start), chosen.because, sep="|")
"""


def chosen_within_seconds() -> tuple[str, str]:
    """What `auto` is for a fresh process, and why.

    Half a minute without an answer ends the process. The Hub's client spends 23 seconds on its repetitions alone; 18
    are far more than what `auto` may take, for a machine that has other work to do.
    """
    result = subprocess.run(
        [sys.executable, "-c", CHOOSE],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=30,
        check=True,
    )
    source, seconds, because = result.stdout.strip().split("|")
    assert int(seconds) < 18
    return source, because


@pytest.mark.usefixtures("unreachable_hub")
def test_auto_is_decided_within_seconds_where_the_proxy_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert chosen_within_seconds() == (
        "sample",
        "IMDBCLF_DATA is not set and the Hub (127.0.0.1) cannot be reached",
    )


@pytest.mark.usefixtures("silent_hub")
def test_auto_is_decided_within_seconds_where_the_hub_accepts_and_says_nothing() -> None:
    assert chosen_within_seconds() == (
        "sample",
        "IMDBCLF_DATA is not set and the Hub (127.0.0.1) cannot be reached",
    )


@pytest.mark.usefixtures("useless_hub")
@pytest.mark.parametrize(
    "useless_hub", ["overloaded", "login page", pytest.param("falls silent", marks=pytest.mark.slow)], indirect=True
)
def test_auto_is_decided_within_seconds_where_the_hub_is_of_no_use() -> None:
    source, because = chosen_within_seconds()
    assert source == "sample"
    assert because.startswith("IMDBCLF_DATA is not set and ")
    # The user named no source, so the reason must not be a wrong `data.source`.
    assert "data.source=" not in because


def test_a_named_source_needs_no_reason() -> None:
    assert choose_source(DataSettings(source="sample")).because is None
    assert isinstance(open_source(DataSettings(source="sample")), SampleSource)


@pytest.mark.parametrize(
    ("write", "kind"),
    [(write_hub_layout, FolderSource), (write_acl_tree, AclImdbSource)],
    ids=["hub layout", "aclImdb"],
)
def test_a_folder_is_opened_by_what_it_looks_like(
    write: Callable[[Path], Path], kind: type[FolderSource | AclImdbSource], tmp_path: Path
) -> None:
    assert isinstance(open_source(DataSettings(source=str(write(tmp_path / "reviews")))), kind)


def test_a_file_is_opened_for_testing(tmp_path: Path) -> None:
    parquet.write_table(table(TEST), tmp_path / "mine.parquet")
    source = open_source(DataSettings(source=str(tmp_path / "mine.parquet")))
    assert isinstance(source, FilesSource)
    assert contents(source.read()) == {"test": TEST}


def test_an_id_is_a_hub_dataset() -> None:
    settings = SourceSettings(source="someone/reviews")
    assert open_source(settings) == HubSource("someone/reviews", settings)


def test_a_folder_comes_before_a_hub_id_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_hub_layout(tmp_path / "stanfordnlp" / "imdb")
    assert isinstance(open_source(DataSettings(source="stanfordnlp/imdb")), FolderSource)


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.csv").write_text("text,label\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    chosen = choose_source(DataSettings(source="files", train="train.csv", test="absent.csv")).settings
    assert (chosen.source, chosen.train, chosen.test) == ("files", str(tmp_path / "train.csv"), "absent.csv")
    assert choose_source(DataSettings(source=".")).settings.source == str(tmp_path)


def test_files_that_are_named_are_the_source_unless_another_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMDBCLF_DATA", str(tmp_path))
    file = str(write_json_lines(tmp_path / "a.jsonl", [{"text": "a", "label": 0}]))
    chosen = decided_source(DataSettings(train=file, test="absent.csv"))
    assert (chosen.settings.source, chosen.settings.train) == ("files", file)
    assert chosen.because == "data.train or data.test names them"
    with pytest.raises(UserError) as refusal:
        decided_source(DataSettings(source="sample", train=file))
    assert str(refusal.value) == (
        f"data.train={file}: is only used with data=files, and data.source=sample names other reviews"
    )
    tree = str(write_acl_tree(tmp_path / "aclImdb"))
    for source in ("sample", tree):
        with pytest.raises(UserError, match=f"data.test={file}: must be null"):
            open_source(decided_source(DataSettings(source=source, test=file)).settings)


def test_a_source_that_is_a_file_is_the_training_file(tmp_path: Path) -> None:
    file = str(write_json_lines(tmp_path / "a.jsonl", [{"text": "a", "label": 0}, {"text": "b", "label": 1}]))
    chosen = decided_source(DataSettings(source=file)).settings
    assert (chosen.source, chosen.train, chosen.test) == ("files", file, None)
    assert contents(open_source(chosen).read()) == {"train": [("a", 0), ("b", 1)]}


def test_a_link_keeps_the_name_that_says_its_format(tmp_path: Path) -> None:
    (tmp_path / "blob").write_text("text,label\na,0\n", encoding="utf-8")
    (tmp_path / "a.csv").symlink_to(tmp_path / "blob")
    link = str(tmp_path / "a.csv")
    assert choose_source(DataSettings(source="files", train=link)).settings.train == link


@pytest.mark.parametrize("word", ["sample", "files", "auto"])
@pytest.mark.usefixtures("unreachable_hub")
def test_a_folder_named_like_a_kind_of_source_does_not_hide_it(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / word).mkdir()
    monkeypatch.chdir(tmp_path)
    assert choose_source(DataSettings(source=word)).settings.source in {"sample", "files"}


@pytest.mark.parametrize("name", ["nowhere", "./no/where", "/no/where", "a/b/c"])
def test_a_source_that_is_not_there_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(UserError) as refusal:
        open_source(DataSettings(source=name))
    assert str(refusal.value) == (
        f"data.source={name}: no such folder; must be auto, sample, files, a folder in the Hub's layout, "
        "an aclImdb folder or archive, a file of reviews, or a Hub id such as stanfordnlp/imdb"
    )


def test_columns_are_handed_on(tmp_path: Path) -> None:
    settings = DataSettings(source=str(tmp_path), text_column="review", label_column="stars")
    assert open_source(settings) == FolderSource(tmp_path, settings.origin)


def test_every_kind_of_source_with_the_same_reviews_gives_the_same_split_and_matrices(
    unreachable_hub: Path, tmp_path: Path
) -> None:
    write_hub_layout(hub_cache(unreachable_hub))
    for part, reviews in (("train", TRAIN), ("test", TEST)):
        csv.write_csv(table(reviews[::-1]), tmp_path / f"{part}.csv")
    kinds: dict[str, dict[str, Any]] = {
        "hub": {"source": "stanfordnlp/imdb"},
        "folder": {"source": str(write_hub_layout(tmp_path / "folder"))},
        "aclImdb": {"source": str(write_acl_tree(tmp_path / "tree"))},
        "files": {"source": "files", "train": str(tmp_path / "train.csv"), "test": str(tmp_path / "test.csv")},
    }
    prepared = []
    for kind, named in kinds.items():
        settings = DataSettings(val_size=3, cache_dir=str(tmp_path / kind), **named)
        prepared.append(ReviewDataModule(settings, seed=1, features=FeatureSettings(columns=20)).prepared)
    for other in prepared[1:]:
        assert other.vectorizer == prepared[0].vectorizer
        for part in ("train", "val", "test"):
            np.testing.assert_array_equal(other.labels[part], prepared[0].labels[part])
            np.testing.assert_array_equal(other.matrices[part].offsets, prepared[0].matrices[part].offsets)
            np.testing.assert_array_equal(other.matrices[part].columns, prepared[0].matrices[part].columns)


def test_the_fingerprints_of_different_sources_differ(tmp_path: Path) -> None:
    one, other = write_hub_layout(tmp_path / "one"), write_hub_layout(tmp_path / "other", train=TEST)
    tree, samples = write_acl_tree(tmp_path / "tree"), SampleSource()
    sources: list[Source] = [
        FolderSource(one),
        FolderSource(other),
        FolderSource(one, SourceSettings(text_column="label", label_column="text")),
        AclImdbSource(tree),
        samples,
    ]
    assert len({source.fingerprint() for source in sources}) == 5


def test_groups_are_handed_on_to_every_kind_of_source(tmp_path: Path) -> None:
    settings = DataSettings(source="files", train="a.csv", group="film")
    write_json_lines(tmp_path / "a.jsonl", [])
    tree = write_acl_tree(tmp_path / "aclImdb")
    file = tmp_path / "a.jsonl"
    for update, make in (
        ({"train": str(file)}, lambda wanted: FilesSource(file, None, wanted)),
        ({"source": str(tmp_path)}, lambda wanted: FolderSource(tmp_path, wanted)),
        ({"source": str(file)}, lambda wanted: FilesSource(None, file, wanted)),
        ({"source": str(tree)}, lambda wanted: AclImdbSource(tree, wanted)),
        ({"source": "someone/reviews"}, lambda wanted: HubSource("someone/reviews", wanted)),
    ):
        wanted = settings.model_copy(update=update)
        assert open_source(wanted) == make(wanted.origin)


def test_the_fingerprint_changes_only_if_groups_are_asked_for(tmp_path: Path) -> None:
    file = write_json_lines(tmp_path / "a.jsonl", [{"text": "a", "label": 0}])
    kinds: list[Callable[[str | None], Source]] = [
        lambda group: FilesSource(file, None, SourceSettings(group=group)),
        lambda group: FolderSource(tmp_path, SourceSettings(group=group)),
        lambda group: HubSource("stanfordnlp/imdb", SourceSettings(group=group)),
    ]
    for kind in kinds:
        assert len({kind(group).fingerprint() for group in (None, "film", "author")}) == 3
    assert FilesSource(file, None).fingerprint() == kinds[0](None).fingerprint()


def test_the_fingerprints_of_files_and_folders_are_these(tmp_path: Path) -> None:
    # The keys of caches follow from them.
    file = write_json_lines(tmp_path / "a.jsonl", [{"text": "a", "label": 0}])
    named = SourceSettings(text_column="t", label_column="l", group="film", unlabelled="unsup")
    fingerprints: dict[Source, str] = {
        FilesSource(file, None): "16224df635a179011485eeb6d21a606d85bbddc52bb731f3a92307605041a3e1",
        FilesSource(file, file, named, file): "e977d0e35035dd119807950633398c3bc05ec9c792fff8bebc9a9252d50276eb",
        FolderSource(tmp_path): "0d7230d0182c9b4e9891087dc564800862b493ad9a0ecb9d9e2771deda47b0fe",
        FolderSource(tmp_path, named): "85714d28e2aea1da6cf00cea93a7ae74d9bbd94ea92bf44031b4e87425622d0a",
    }
    assert {source: source.fingerprint() for source in fingerprints} == fingerprints


def test_groups_are_read_from_files_and_folders(unreachable_hub: Path, tmp_path: Path) -> None:
    rows = [{"text": "a", "label": 0, "film": "x"}, {"text": "b", "label": 1, "film": None}]
    file = write_json_lines(tmp_path / "train.jsonl", rows)
    cached = hub_cache(unreachable_hub) / "plain_text"
    cached.mkdir(parents=True)
    train = table([("a", 0), ("b", 1)]).append_column("film", pa.array(["x", None], pa.string()))
    for part, read in (("train", train), ("test", table(TEST))):
        parquet.write_table(read, cached / f"{part}-00000-of-00001.parquet")
    for source in (
        FilesSource(file, None, SourceSettings(group="film")),
        FolderSource(tmp_path, SourceSettings(group="film")),
        HubSource("stanfordnlp/imdb", SourceSettings(group="film")),
    ):
        assert source.read().parts["train"]["group"].to_pylist() == ["x", None]


def test_the_sample_has_no_groups() -> None:
    with pytest.raises(UserError) as refusal:
        open_source(DataSettings(source="sample", group="film"))
    assert str(refusal.value) == "data.group=film: must be null for the bundled sample"
