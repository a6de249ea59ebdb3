"""The original tree of the Large Movie Review Dataset, `train|test/neg|pos/ID_RATING.txt`, or an archive of it."""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow as pa

from imdbclf.data.sources.base import DEFAULTS, UNLABELLED, Reviews, gather
from imdbclf.data.sources.file_text import allowed_size
from imdbclf.data.sources.tables import READING_VERSION, content_hash
from imdbclf.errors import UserError, one_line
from imdbclf.settings import SourceSettings

_TRAIN = ("train/neg", "train/pos")
_UNSUP = "train/unsup"
_TITLE = re.compile(r"/title/(tt\d+)")

Files = dict[str, bytes]
"""The contents of the files of a folder, by their names."""


@dataclass(frozen=True)
class AclImdbSource:
    """`aclImdb_v1`, unpacked or as the archive `.tar.gz` itself. A review is a `.txt` file that is not hidden.

    The group may be `film`. Line ID, from 0, of `train/urls_neg.txt` and `train/urls_pos.txt` is the page of the film
    that `ID_RATING.txt` reviews.

    `settings.unlabelled` may be `unsup` (or `unsupervised`, its name on the Hub): the reviews in `train/unsup`.

    Raises:
        UserError: for another group, or if there are no unlabelled reviews; in an archive that is seen by reading it.
    """

    path: Path
    settings: SourceSettings = DEFAULTS

    def __post_init__(self) -> None:
        group, unlabelled = self.settings.group, self.settings.unlabelled
        if group not in {None, "film"}:
            raise UserError(f"data.group={group}: must be film or null for aclImdb ({self.path})")
        if self.settings.test is not None:
            raise UserError(f"data.test={self.settings.test}: must be null for aclImdb ({self.path})")
        can_be_there = self.path.is_file() or (self.path / _UNSUP).is_dir()
        if unlabelled is not None and not (can_be_there and unlabelled in {"unsup", "unsupervised"}):
            allowed = f"unsup or unsupervised, with a folder {_UNSUP} there"
            raise UserError(f"data.unlabelled={unlabelled}: must be null for {self.path}, or {allowed}")

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether the folder looks like the original tree, or the file has the name of an archive."""
        if path.is_file():
            return path.name.lower().endswith((".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2"))
        return all((path / folder).is_dir() for folder in _TRAIN)

    @property
    def description(self) -> str:
        """`aclImdb folder PATH`, or `archive` in place of `folder`."""
        return f"aclImdb {'archive' if self.path.is_file() else 'folder'} {self.path}"

    def fingerprint(self) -> str:
        """Hash of the archive; of a folder, of the names, sizes, times and times of inode changes of all reviews.

        Reading 50,000 files would take longer than encoding. No program can set the time of an inode's change. With
        `group`, the contents of the files that name the films are included.
        """
        if self.path.is_file():
            wanted = f"aclImdb archive {READING_VERSION} {self.settings.group} {self.settings.unlabelled}"
            return hashlib.sha256(wanted.encode() + content_hash(self.path)).hexdigest()
        digest = hashlib.sha256(f"aclImdb {READING_VERSION}".encode())
        for folder in self._folders():
            for entry in self._reviews(folder):
                about = entry.stat()
                times = f"{folder} {about.st_size} {about.st_mtime_ns} {about.st_ctime_ns} "
                digest.update(times.encode() + os.fsencode(entry.name))
        if self.settings.group is not None:
            files = self._files("train")
            for label in ("neg", "pos"):
                digest.update("\n".join(["film", label, *self._pages(label, files)]).encode())
        return digest.hexdigest()

    def read(self) -> Reviews:
        """Read every review and, with `group`, the files that name the films."""
        found = self._unpacked() if self.path.is_file() else self._tree()
        tables: dict[str, list[pa.Table]] = {}
        for folder in [folder for folder in self._wanted() if folder in found]:
            part, label = folder.split("/")
            files = found[folder]
            texts = [self._text(f"{folder}/{name}", files[name]) for name in sorted(files)]
            columns = {"text": texts, "label": [label] * len(texts)}
            if folder in _TRAIN and self.settings.group is not None:
                pages = self._pages(label, found.get("train", {}))
                columns["film"] = [self._film(name, label, pages) for name in sorted(files)]
            arrays = {name: pa.array(values, type=pa.string()) for name, values in columns.items()}
            tables.setdefault(UNLABELLED if folder == _UNSUP else part, []).append(pa.table(arrays))
        parts = {part: pa.concat_tables(pieces) for part, pieces in tables.items()}
        return gather(parts, SourceSettings(group=self.settings.group), f"data.source={self.path}")

    def _wanted(self) -> list[str]:
        """The folders of reviews that are read, if they are there."""
        return [*_TRAIN, "test/neg", "test/pos", *([] if self.settings.unlabelled is None else [_UNSUP])]

    def _folders(self) -> list[str]:
        return [folder for folder in self._wanted() if (self.path / folder).is_dir()]

    def _tree(self) -> dict[str, Files]:
        """The reviews by folder, and the files of the folder `train`."""
        return {folder: self._files(folder) for folder in [*self._folders(), "train"]}

    def _unpacked(self) -> dict[str, Files]:
        """What `_tree` returns, from an archive, which is read in one go."""
        wanted = {*self._wanted(), "train"}
        found: dict[str, Files] = {}
        left = allowed_size(self.path)
        try:
            with tarfile.open(self.path, "r|*") as archive:
                for member in archive:
                    if (left := left - member.size) < 0:
                        msg = f"{self.path}: has more than {allowed_size(self.path) >> 20:,} MiB when unpacked"
                        raise UserError(msg)
                    *_, part, label, name = ("", "", *PurePosixPath(member.name).parts)
                    folder = "train" if label == "train" else f"{part}/{label}"
                    is_wanted = _is_review(name) and folder in wanted
                    if is_wanted and member.isfile() and (content := archive.extractfile(member)):
                        found.setdefault(folder, {})[name] = content.read()
        except (tarfile.TarError, OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            msg = f"data.source={self.path}: cannot be read as an archive ({one_line(error)[:120]})"
            raise UserError(msg) from error
        missing = [folder for folder in self._wanted() if folder not in found and not folder.startswith("test")]
        if missing:
            raise UserError(f"data.source={self.path}: has no reviews in {' and '.join(missing)}")
        return found

    def _reviews(self, folder: str) -> list[os.DirEntry[str]]:
        """The reviews of a folder, in the order of their names."""
        with os.scandir(self.path / folder) as entries:
            found = [entry for entry in entries if _is_review(entry.name) and entry.is_file()]
        return sorted(found, key=lambda entry: entry.name)

    def _files(self, folder: str) -> Files:
        return {entry.name: Path(entry.path).read_bytes() for entry in self._reviews(folder)}

    def _pages(self, label: str, files: Files) -> list[str]:
        """The lines of the file that names the films of the training reviews with this label."""
        name = f"urls_{label}.txt"
        if name not in files:
            raise UserError(f"data.group=film: {self.path} has no train/{name}; it must name the films")
        return [line.strip() for line in files[name].decode(errors="replace").splitlines()]

    def _film(self, name: str, label: str, pages: list[str]) -> str:
        """The film that a training review is about."""
        number = name.removesuffix(".txt").partition("_")[0]
        if not number.isdecimal() or int(number) >= len(pages):
            msg = (
                f"data.group=film: {self.path}/train/urls_{label}.txt has {len(pages):,} lines and none for {name}; "
                "line ID + 1 must name the film of the review ID_RATING.txt"
            )
            raise UserError(msg)
        page = pages[int(number)]
        title = _TITLE.search(page)
        return title[1] if title else page

    def _text(self, name: str, content: bytes) -> str:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            msg = f"{self.path}/{name}: byte {error.start + 1} is not UTF-8; save the file as UTF-8"
            raise UserError(msg) from error


def _is_review(name: str) -> bool:
    """Whether a file of this name holds a review; hidden files are of the operating system."""
    return name.endswith(".txt") and not name.startswith(".")
