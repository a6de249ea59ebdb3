"""From settings to an encoded corpus: choose the source, open it, load its reviews from the cache or encode them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from imdbclf.data.cache import LoadedCorpus, cache_folder, is_encoded, load_cached, load_or_encode
from imdbclf.data.sources.acl_imdb import AclImdbSource
from imdbclf.data.sources.base import Source
from imdbclf.data.sources.file_text import kind_of
from imdbclf.data.sources.files import FilesSource
from imdbclf.data.sources.folder import FolderSource
from imdbclf.data.sources.hub import LECTURE_DATASET, HubSource
from imdbclf.data.sources.labels import place
from imdbclf.data.sources.sample import SampleSource
from imdbclf.data.sources.tables import FORMATS
from imdbclf.errors import UserError
from imdbclf.settings import SourceSettings

VARIABLE = "IMDBCLF_DATA"
_WORDS = ("auto", "sample", "files")
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
"""What the id of a dataset of the Hub looks like."""


@dataclass(frozen=True)
class ChosenSource:
    """Settings whose `source` is not `auto`, and why it was chosen (None if the settings named it)."""

    settings: SourceSettings
    because: str | None

    @property
    def warning(self) -> str | None:
        """What to say first if the sample stands in for real reviews that were not found."""
        if self.because is None or self.settings.source != "sample":
            return None
        return (
            f"Warning: these are generated reviews (the bundled sample), not IMDB, because {self.because}. "
            "Their metrics say nothing about real reviews. "
            f"For IMDB, connect to the internet, or set {VARIABLE} to its folder."
        )


def choose_source(settings: SourceSettings) -> ChosenSource:
    """Decide what `auto` means here and now: `IMDBCLF_DATA`, else IMDB from the Hub or its cache, else the sample.

    Paths become absolute, so that a checkpoint or a config finds them again from any folder.
    """
    settings = settings.origin
    source, because = _chosen(settings)
    paths = {"source": source}
    # For a folder or a dataset, `test` and `unlabelled` are names of splits.
    is_files = source == "files" or is_review_file(Path(source))
    for key in ("source", *(("train", "test", "unlabelled") if is_files else ())):
        value = paths.get(key, getattr(settings, key))
        if value is not None and value not in _WORDS and (path := Path(value).expanduser()).exists():
            paths[key] = str(path.absolute())  # links are not followed: their names say the format
    return ChosenSource(settings.model_copy(update=paths), because)


def _chosen(settings: SourceSettings) -> tuple[str, str | None]:
    """The source, and why it was chosen."""
    if settings.source != "auto":
        return settings.source, None
    if settings.train or settings.test:
        return "files", "data.train or data.test names them"
    if value := os.environ.get(VARIABLE):
        return value, f"{VARIABLE} names it"
    hub = HubSource(LECTURE_DATASET, settings)
    # Reviews that have been encoded once need the Hub no more.
    obstacle = None if is_encoded(hub, cache_folder(settings.cache_dir)) else hub.obstacle()
    if obstacle is None:
        return LECTURE_DATASET, f"{VARIABLE} is not set"
    return "sample", f"{VARIABLE} is not set and {obstacle}"


def open_source(settings: SourceSettings) -> Source:
    """The source that the settings name; nothing is read yet. A new kind of source is opened here.

    Raises:
        UserError: if a source that was named explicitly is not there, or cannot have the groups that are asked for.
    """
    settings = choose_source(settings).settings
    if settings.source == "files":
        return FilesSource.from_settings(settings)
    if settings.split_column is not None:
        raise UserError(f"data.split_column={settings.split_column}: is for data=files with data.train alone")
    if settings.source == "sample":
        for key in ("unlabelled", "group", "test"):
            if (value := getattr(settings, key)) is not None:
                raise UserError(f"data.{key}={value}: must be null for the bundled sample")
        return SampleSource()
    return _named(settings)


def load_corpus(settings: SourceSettings, *, sentence_ends: bool = False, source: Source | None = None) -> LoadedCorpus:
    """The reviews that the settings name, from the cache or read, encoded and put there; `source` may be open already.

    Raises:
        UserError: if the source can't be read.
    """
    source = open_source(settings) if source is None else source
    loaded = load_or_encode(source, cache_folder(settings.cache_dir), sentence_ends=sentence_ends)
    if settings.positive is None:
        return loaded
    number = place(settings.positive, loaded.label_names)
    if number is None:
        msg = f"data.positive={settings.positive}: must be one of the labels, {' or '.join(loaded.label_names)}"
        raise UserError(msg)
    return loaded if number == 1 else loaded.flipped()


def load_cached_corpus(settings: SourceSettings, *, sentence_ends: bool = False) -> LoadedCorpus | None:
    """The reviews that the settings name, from the cache; None if they are not there.

    Raises:
        UserError: if the source is not there.
    """
    return load_cached(open_source(settings), cache_folder(settings.cache_dir), sentence_ends=sentence_ends)


def is_review_file(path: Path) -> bool:
    """Whether the path is a file of reviews."""
    return path.is_file() and kind_of(path) in FORMATS


def _named(settings: SourceSettings) -> Source:
    path = Path(settings.source)
    if AclImdbSource.recognises(path):
        return AclImdbSource(path, settings)
    if path.is_dir():
        return FolderSource(path, settings)
    if is_review_file(path):
        return FilesSource(None, path, settings)  # an evaluation, which needs no unlabelled reviews
    if HUB_ID.fullmatch(settings.source) and not settings.source.startswith("."):
        return HubSource(settings.source, settings)
    msg = (
        f"data.source={settings.source}: no such folder; must be auto, sample, files, a folder in the Hub's layout, "
        "an aclImdb folder or archive, a file of reviews, or a Hub id such as stanfordnlp/imdb"
    )
    raise UserError(msg)
