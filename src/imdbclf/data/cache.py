"""Encoded reviews on disk: Arrow files, opened memory-mapped, under a key of everything they depend on.

An entry is a folder `KEY/` with `dictionary.arrow`, one `PART.arrow` per part, and `about.json`. It is written under a
temporary name and then renamed, so an entry is complete or absent. An entry that is damaged later, or that an older
version wrote without checksums, is made again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
import shutil
import zlib
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import filelock
import platformdirs
import pyarrow as pa

from imdbclf.data.corpus import ENCODING_VERSION, SCHEMA, Corpus, EncodedReviews, encode_corpus, only_chunk
from imdbclf.data.sources.base import Reviews, Source
from imdbclf.data.tokenize import WORDS_VERSION
from imdbclf.storage import flush

log = logging.getLogger(__name__)

FOLDER_VARIABLE = "IMDBCLF_CACHE"
_DICTIONARY = "dictionary"
_ABOUT = "about.json"


@dataclass(frozen=True)
class LoadedCorpus:
    """A corpus, where it is from, how its source spells the labels 0 and 1, and whether it was in the cache.

    `notes` are sentences on what was decided for the user.
    """

    source: Source
    corpus: Corpus
    label_names: tuple[str, str]
    from_cache: bool
    notes: tuple[str, ...] = ()

    def flipped(self) -> LoadedCorpus:
        """The same corpus with the other label as the positive one."""
        negative, positive = self.label_names
        parts = {part: reviews.flipped() for part, reviews in self.corpus.parts.items()}
        return replace(self, corpus=replace(self.corpus, parts=parts), label_names=(positive, negative))


def cache_folder(chosen: str | None = None) -> Path:
    """`data.cache_dir`, else `IMDBCLF_CACHE`, else the system's folder for caches."""
    name = chosen or os.environ.get(FOLDER_VARIABLE) or platformdirs.user_cache_dir("imdbclf", appauthor=False)
    return Path(name).expanduser()


def cache_key(source: Source, *, sentence_ends: bool = False) -> str:
    """A key of the encoded reviews and of the columns of their tables."""
    return _key(source_key(source), SCHEMA.names, sentence_ends)


def source_key(source: Source) -> str:
    """A key of everything that the results of runs depend on: the source's content, the tokenizer, and versions."""
    return _key(source.fingerprint(), WORDS_VERSION, ENCODING_VERSION)


def _key(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def load_or_encode(source: Source, folder: Path, *, sentence_ends: bool = False) -> LoadedCorpus:
    """The source's reviews, from the cache in `folder`; if they are not there, they are encoded and written to it.

    If the cache cannot be written, a warning is logged.
    """
    _remove_stale(folder)
    entry = folder / cache_key(source, sentence_ends=sentence_ends)
    # A complete entry never changes, so reading needs no lock, and the folder may be read-only.
    if cached := _opened(entry, source):
        return cached
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / f"{entry.name}.lock")
        lock.acquire()
    except OSError as error:
        log.warning("No cache in %s (%s); continuing without it.", folder, error.strerror or error)
        return _encoded(source, None, sentence_ends=sentence_ends)
    try:
        # Another process may have made it in the meantime.
        return _opened(entry, source, say=False) or _encoded(source, entry, sentence_ends=sentence_ends)
    finally:
        lock.release()


def load_cached(source: Source, folder: Path, *, sentence_ends: bool = False) -> LoadedCorpus | None:
    """The source's reviews if they are in the cache in `folder`."""
    return _opened(folder / cache_key(source, sentence_ends=sentence_ends), source)


def is_encoded(source: Source, folder: Path) -> bool:
    """Whether the source's reviews are in the cache, with sentence ends or without them."""
    return any((folder / cache_key(source, sentence_ends=ends) / _ABOUT).is_file() for ends in (False, True))


def _encoded(source: Source, entry: Path | None, *, sentence_ends: bool) -> LoadedCorpus:
    log.info("Reading and encoding the reviews …")
    reviews = source.read()
    corpus = encode_corpus(reviews.parts, sentence_ends=sentence_ends)
    try:
        if entry is not None:
            _write(entry, corpus, reviews)
    except OSError as error:
        needed = sum(part.table.nbytes for part in corpus.parts.values()) / 1e6
        log.warning("The cache needs %.0f MB and cannot be written (%s); continuing without.", needed, error.strerror)
    return LoadedCorpus(source, corpus, reviews.label_names, from_cache=False, notes=reviews.notes)


def _remove_stale(folder: Path) -> None:
    """Remove unfinished entries of processes that were killed; a process that writes one holds the lock of its key."""
    for unfinished in folder.glob(".*-*"):
        if named := re.fullmatch(r"\.([0-9a-f]{24})-\w{8}", unfinished.name):
            with suppress(OSError), filelock.FileLock(folder / f"{named[1]}.lock", timeout=0):
                shutil.rmtree(unfinished)


def _write(entry: Path, corpus: Corpus, read: Reviews) -> None:
    aside = entry.with_name(f".{entry.name}-{secrets.token_hex(4)}")
    aside.mkdir()
    try:
        tables = {_DICTIONARY: pa.table({"word": corpus.dictionary})}
        tables |= {part: reviews.table for part, reviews in corpus.parts.items()}
        for name, table in tables.items():
            with pa.OSFile(str(_file(aside, name)), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
        about = {
            "label_names": list(read.label_names),
            "notes": list(read.notes),
            "crc32": {name: zlib.crc32(pa.memory_map(str(_file(aside, name))).read_buffer()) for name in tables},
        }
        (aside / _ABOUT).write_text(_sealed(about), encoding="utf-8")
        for path in (*aside.iterdir(), aside):
            flush(path)
        shutil.rmtree(entry, ignore_errors=True)
        aside.replace(entry)
        flush(entry.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _sealed(about: dict[str, Any]) -> str:
    """The text of `about.json`, which ends with a checksum of the rest."""
    return json.dumps(about | {"checksum": zlib.crc32(json.dumps(about).encode())}, indent=1)


def _opened(entry: Path, source: Source, *, say: bool = True) -> LoadedCorpus | None:
    """The entry if it exists and is complete; a warning names damage if `say`."""
    if not entry.is_dir():
        return None
    try:
        text = (entry / _ABOUT).read_text(encoding="utf-8")
        about: dict[str, Any] = json.loads(text)
        if _sealed({key: about[key] for key in about if key != "checksum"}) != text:
            raise _damage(_ABOUT)
        tables = {name: _mapped(_file(entry, name), checksum) for name, checksum in about["crc32"].items()}
        dictionary, notes = only_chunk(tables.pop(_DICTIONARY).column("word")), tuple(about["notes"])
        negative, positive = about["label_names"]
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        if say:
            log.warning("The cached reviews in %s are damaged (%s); encoding them again.", entry, error)
        return None
    parts = {name: EncodedReviews(table) for name, table in tables.items()}
    return LoadedCorpus(source, Corpus(dictionary, parts), (negative, positive), from_cache=True, notes=notes)


def _mapped(path: Path, checksum: int) -> pa.Table:
    contents = pa.memory_map(str(path)).read_buffer()
    # First: Arrow can crash the process when it reads a damaged file.
    if zlib.crc32(contents) != checksum:
        raise _damage(path.name)
    return pa.ipc.open_file(contents).read_all()


def _damage(name: str) -> ValueError:
    return ValueError(f"{name} differs from its checksum")


def _file(entry: Path, name: str) -> Path:
    return entry / f"{name}.arrow"
