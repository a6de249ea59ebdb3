from __future__ import annotations

from pathlib import Path

import huggingface_hub.constants
import pytest

from data.helpers import TEST, TRAIN, contents, hub_cache, write_hub_layout
from imdbclf.data.sources.hub import REVISIONS, HubSource
from imdbclf.errors import UserError
from imdbclf.settings import SourceSettings

IMDB = HubSource("stanfordnlp/imdb")


def test_the_lecture_s_dataset_is_pinned() -> None:
    assert REVISIONS["stanfordnlp/imdb"] == "e6281661ce1c48d982bc483cf8a173c1bbeb5d31"
    assert IMDB.description == "Hub dataset stanfordnlp/imdb at revision e6281661"
    assert HubSource("someone/reviews").description == "Hub dataset someone/reviews"


@pytest.mark.usefixtures("unreachable_hub", "no_network")
def test_the_fingerprint_of_a_pinned_dataset_needs_neither_network_nor_files() -> None:
    assert IMDB.fingerprint() == "hub stanfordnlp/imdb@e6281661ce1c48d982bc483cf8a173c1bbeb5d31 text label"
    assert HubSource("stanfordnlp/imdb", SourceSettings(text_column="review")).fingerprint() != IMDB.fingerprint()


@pytest.mark.usefixtures("no_network")
def test_the_hubs_cache_is_found_under_hf_home(unreachable_hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_hub_layout(hub_cache(unreachable_hub))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert IMDB.obstacle() is None
    assert contents(HubSource("stanfordnlp/imdb").read()) == {"train": TRAIN, "test": TEST}


@pytest.mark.usefixtures("unreachable_hub", "no_network")
@pytest.mark.parametrize(
    ("variable", "value", "hub"),
    [
        ("HF_HUB_CACHE", "{}/elsewhere", "elsewhere"),
        ("HF_HOME", "{}/home", "home/hub"),
        ("XDG_CACHE_HOME", "{}/xdg", "xdg/huggingface/hub"),
        ("HOME", "{}/me", "me/.cache/huggingface/hub"),
    ],
)
def test_the_hubs_cache_is_found_where_the_hubs_client_looks(
    variable: str, value: str, hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv(variable, value.format(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    write_hub_layout(hub_cache(tmp_path / hub))
    assert IMDB.obstacle() is None


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("part", ["train", "test"])
def test_an_incomplete_cache_is_none(part: str, unreachable_hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_hub_layout(hub_cache(unreachable_hub))
    (folder / "plain_text" / f"{part}-00000-of-00001.parquet").unlink()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert IMDB.obstacle() == "the dataset is not in the Hub cache while HF_HUB_OFFLINE is set"


@pytest.mark.usefixtures("no_network")
def test_another_revision_in_the_cache_is_not_taken(unreachable_hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_hub_layout(hub_cache(unreachable_hub, "0" * 40))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert IMDB.obstacle() is not None


@pytest.mark.usefixtures("unreachable_hub", "no_network")
@pytest.mark.parametrize("value", ["1", "ON", "yes", "True"])
def test_offline_may_be_said_in_the_ways_of_the_hubs_client(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert "HF_HUB_OFFLINE" in (IMDB.obstacle() or "")


@pytest.mark.usefixtures("unreachable_hub")
def test_a_hub_that_cannot_be_reached_is_the_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    assert IMDB.obstacle() == "the Hub (127.0.0.1) cannot be reached"
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert IMDB.obstacle() == "the Hub (127.0.0.1) cannot be reached"


@pytest.mark.usefixtures("unreachable_hub")
def test_an_address_that_is_none_is_an_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:99999")
    assert "cannot be reached" in (IMDB.obstacle() or "")


@pytest.mark.usefixtures("unreachable_hub", "no_network")
def test_a_dataset_that_cannot_be_had_is_refused_with_what_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError) as refusal:
        HubSource("someone/reviews").read()
    line = str(refusal.value)
    assert line.startswith("data.source=someone/reviews: neither an existing folder nor a dataset on the Hub (")
    assert line.endswith("); allowed: auto, sample, files, a folder, a Hub id")
    assert "\n" not in line
