"""The original folder tree of the Large Movie Review Dataset: `train|test/neg|pos/ID_RATING.txt`."""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pyarrow as pa

from imdbclf.data.sources.base import DEFAULTS, UNLABELLED, Reviews, gather
from imdbclf.data.sources.file_text import allowed_size
from imdbclf.data.sources.tables import READING_VERSION, content_hash
from imdbclf.errors import UserError, one_line
from imdbclf.settings import SourceSettings

_LABELS = ("neg", "pos")
_UNLABELLED = ("unsup", "unsupervised")
_TITLE = re.compile(r"/title/(tt\d+)")


@dataclass(frozen=True)
class AclImdbSource:
    """An unpacked `aclImdb_v1`, read file by file. A review is a `.txt` file that is not hidden.

    The group may be `film`. Line ID, from 0, of `train/urls_neg.txt` and `train/urls_pos.txt` is the page of the film
    that `ID_RATING.txt` reviews.

    `settings.unlabelled` may be `unsup` (or `unsupervised`, its name on the Hub): the reviews in `train/unsup`.

    Raises:
        UserError: for another group, or if there are no unlabelled reviews.
    """

    path: Path
    settings: SourceSettings = DEFAULTS

    def __post_init__(self) -> None:
        group, unlabelled = self.settings.group, self.settings.unlabelled
        if unlabelled is not None and not (unlabelled in _UNLABELLED and self._has("train", "unsup")):
            allowed = f"{' or '.join(_UNLABELLED)}, with a folder train/unsup there"
            msg = f"data.unlabelled={unlabelled}: must be null for {self.path}, or {allowed}"
            raise UserError(msg)
        if group not in {None, "film"}:
            msg = f"data.group={group}: must be film or null for an aclImdb folder ({self.path})"
            raise UserError(msg)

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether the folder looks like the original tree."""
        return all((path / "train" / label).is_dir() for label in _LABELS)

    @property
    def description(self) -> str:
        """`aclImdb folder PATH`."""
        return f"aclImdb folder {self.path}"

    def fingerprint(self) -> str:
        """Hash of the names, sizes, times and times of inode changes of all reviews, not of their contents.

        Reading 50,000 files would take longer than encoding. No program can set the time of an inode's change. With
        `group`, the contents of the files that name the films are included.
        """
        digest = hashlib.sha256(f"aclImdb {READING_VERSION}".encode())
        folders = [*self._folders(), *([("train", "unsup")] if self.settings.unlabelled is not None else [])]
        for part, label in folders:
            for entry in self._reviews(part, label):
                about, name = entry.stat(), os.fsencode(entry.name)
                digest.update(
                    f"{part}/{label} {about.st_size} {about.st_mtime_ns} {about.st_ctime_ns} ".encode() + name
                )
        if self.settings.group is not None:
            for label in _LABELS:
                digest.update("\n".join(["film", label, *self._pages(label)]).encode())
        return digest.hexdigest()

    def read(self) -> Reviews:
        """Read every `.txt` file of the label folders and, with `group`, the files that name the films."""
        tables: dict[str, list[pa.Table]] = {}
        for part, label in self._folders():
            reviews = self._texts(part, label)
            columns = {"text": list(reviews.values()), "label": [label] * len(reviews)}
            if part == "train" and self.settings.group is not None:
                columns["film"] = self._films(label, list(reviews))
            arrays = {name: pa.array(values, type=pa.string()) for name, values in columns.items()}
            tables.setdefault(part, []).append(pa.table(arrays))
        parts = {part: pa.concat_tables(pieces) for part, pieces in tables.items()}
        if self.settings.unlabelled is not None:
            texts = list(self._texts("train", "unsup").values())
            parts[UNLABELLED] = pa.table({"text": pa.array(texts, type=pa.string())})
        return gather(parts, SourceSettings(group=self.settings.group), f"data.source={self.path}")

    def _reviews(self, part: str, label: str) -> list[os.DirEntry[str]]:
        with os.scandir(self.path / part / label) as entries:
            found = [entry for entry in entries if _is_review(entry.name)]
        return sorted((entry for entry in found if entry.is_file()), key=lambda entry: entry.name)

    def _has(self, part: str, label: str) -> bool:
        return (self.path / part / label).is_dir()

    def _texts(self, part: str, label: str) -> dict[str, str]:
        """The reviews of a folder by their names."""
        found = self._reviews(part, label)
        return {entry.name: _text(Path(entry.path).read_bytes(), entry.path) for entry in found}

    def _films(self, label: str, names: list[str]) -> list[str]:
        """The film that each training review is about."""
        pages = self._pages(label)
        films = []
        for name in names:
            number = name.removesuffix(".txt").partition("_")[0]
            if not number.isdecimal() or int(number) >= len(pages):
                msg = (
                    f"data.group=film: {self._urls(label)} has {len(pages):,} lines and none for {name}; "
                    "line ID + 1 must name the film of the review ID_RATING.txt"
                )
                raise UserError(msg)
            page = pages[int(number)]
            title = _TITLE.search(page)
            films.append(title[1] if title else page)
        return films

    def _pages(self, label: str) -> list[str]:
        """The lines of the file that names the films of the training reviews with this label."""
        path = self._urls(label)
        try:
            return [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        except OSError as error:
            msg = f"data.group=film: {path} cannot be read ({error.strerror or error}); it must name the films"
            raise UserError(msg) from error

    def _urls(self, label: str) -> Path:
        return self.path / "train" / f"urls_{label}.txt"

    def _folders(self) -> list[tuple[str, str]]:
        return [(part, label) for part in ("train", "test") for label in _LABELS if self._has(part, label)]


def _is_review(name: str) -> bool:
    """Whether a file of this name holds a review; hidden files are of the operating system."""
    return name.endswith(".txt") and not name.startswith(".")


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{name}: byte {error.start + 1} is not UTF-8; save the file as UTF-8"
        raise UserError(msg) from error


@dataclass(frozen=True)
class AclImdbArchive:
    """The archive `aclImdb_v1.tar.gz` itself, or one like it. It is read in one go, without unpacking it to the disk.

    Raises:
        UserError: when it is read, if it is no such archive, or for the settings that `AclImdbSource` refuses.
    """

    path: Path
    settings: SourceSettings = DEFAULTS

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether the path is a file with the name of an archive."""
        return path.is_file() and path.name.lower().endswith((".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2"))

    @property
    def description(self) -> str:
        """`aclImdb archive PATH`."""
        return f"aclImdb archive {self.path}"

    def fingerprint(self) -> str:
        """Hash of the archive."""
        wanted = f"aclImdb archive {READING_VERSION} {self.settings.group} {self.settings.unlabelled}"
        return hashlib.sha256(wanted.encode() + content_hash(self.path)).hexdigest()

    def read(self) -> Reviews:
        """Read all reviews, and the files that name the films."""
        found: dict[str, dict[str, bytes]] = {}
        left = allowed_size(self.path)
        try:
            with tarfile.open(self.path, "r|*") as archive:
                for member in archive:
                    if (left := left - member.size) < 0:
                        msg = f"{self.path}: has more than {allowed_size(self.path) >> 20:,} MiB when unpacked"
                        raise UserError(msg)
                    *_, part, label, name = ("", "", *PurePosixPath(member.name).parts)
                    folder = "train" if label == "train" else f"{part}/{label}"
                    is_wanted = _is_review(name) and folder in self._wanted
                    if is_wanted and member.isfile() and (content := archive.extractfile(member)):
                        found.setdefault(folder, {})[name] = content.read()
        except (tarfile.TarError, OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            msg = f"data.source={self.path}: cannot be read as an archive ({one_line(error)[:120]})"
            raise UserError(msg) from error
        if not all(f"train/{label}" in found for label in _LABELS):
            msg = f"data.source={self.path}: has no reviews in train/neg and train/pos"
            raise UserError(msg)
        return _Unpacked(self.path, self.settings, found).read()

    @property
    def _wanted(self) -> set[str]:
        labelled = {f"{part}/{label}" for part in ("train", "test") for label in _LABELS}
        return labelled | {"train"} | ({"train/unsup"} if self.settings.unlabelled else set())


@dataclass(frozen=True)
class _Unpacked(AclImdbSource):
    """A tree in memory: the contents of files by folder and name."""

    folders: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)

    def _has(self, part: str, label: str) -> bool:
        return f"{part}/{label}" in self.folders

    def _texts(self, part: str, label: str) -> dict[str, str]:
        contents = self.folders[f"{part}/{label}"]
        return {name: _text(contents[name], f"{self.path}: {part}/{label}/{name}") for name in sorted(contents)}

    def _pages(self, label: str) -> list[str]:
        content = self.folders.get("train", {}).get(f"urls_{label}.txt")
        if content is None:
            msg = f"data.group=film: {self.path} has no train/urls_{label}.txt; it must name the films"
            raise UserError(msg)
        return [line.strip() for line in content.decode(errors="replace").splitlines()]
