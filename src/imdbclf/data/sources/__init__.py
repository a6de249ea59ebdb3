"""Where reviews come from: one module a kind of source, and `open_source`, which finds the right one.

To add a kind: write a module with a class that has the three members of `Source`, and name it in `open_source`.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from imdbclf.data.sources.acl_imdb import AclImdbSource
from imdbclf.data.sources.base import Reviews, Source
from imdbclf.data.sources.files import SUFFIXES, FilesSource
from imdbclf.data.sources.folder import FolderSource
from imdbclf.data.sources.hub import LECTURE_DATASET, HubSource
from imdbclf.data.sources.sample import SampleSource
from imdbclf.errors import UserError
from imdbclf.settings import DataSettings

__all__ = ["Reviews", "Source", "open_source"]

VARIABLE = "IMDBCLF_DATA"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def open_source(settings: DataSettings) -> Source:
    """The source that the settings name; nothing is read yet.

    Raises:
        UserError: if a source that was named explicitly is not there.
    """
    name = settings.source
    if name == "auto":
        return _automatic(settings)
    if name == "sample":
        return SampleSource()
    if name == "files":
        return FilesSource.from_settings(settings)
    return _named(settings, f"data.source={name}")


def _automatic(settings: DataSettings) -> Source:
    """`IMDBCLF_DATA`, else the lecture's reviews from the Hub or its cache, else the bundled sample."""
    value = os.environ.get(VARIABLE)
    if value == "sample":
        return SampleSource()
    if value:
        return _named(settings.model_copy(update={"source": value}), f"{VARIABLE}={value}")
    hub = HubSource(LECTURE_DATASET, settings.text_column, settings.label_column)
    obstacle = hub.obstacle()
    if obstacle is None:
        return hub
    return replace(SampleSource(), reason=f"{VARIABLE} is not set and {obstacle}")


def _named(settings: DataSettings, said: str) -> Source:
    path = Path(settings.source).expanduser()
    columns = (settings.text_column, settings.label_column)
    if path.is_dir():
        if AclImdbSource.recognises(path):
            return AclImdbSource(path.resolve())
        return FolderSource(path.resolve(), *columns)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return FilesSource(train=None, test=path.resolve(), text_column=columns[0], label_column=columns[1])
    if _HUB_ID.fullmatch(settings.source) and not settings.source.startswith("."):
        return HubSource(settings.source, *columns)
    msg = (
        f"{said}: no such folder; allowed: auto, sample, files, a folder in the Hub's layout, "
        "an aclImdb folder, or a Hub id such as stanfordnlp/imdb"
    )
    raise UserError(msg)
