"""The original folder tree of the Large Movie Review Dataset: `train|test/neg|pos/ID_RATING.txt`."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from imdbclf.data.sources.base import DEFAULTS, UNLABELLED, Reviews, gather
from imdbclf.data.sources.tables import READING_VERSION
from imdbclf.errors import UserError
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
        if unlabelled is not None and not (unlabelled in _UNLABELLED and (self.path / "train" / "unsup").is_dir()):
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
            files = [Path(entry.path) for entry in self._reviews(part, label)]
            columns = {"text": [_text(file) for file in files], "label": [label] * len(files)}
            if part == "train" and self.settings.group is not None:
                columns["film"] = self._films(label, files)
            arrays = {name: pa.array(values, type=pa.string()) for name, values in columns.items()}
            tables.setdefault(part, []).append(pa.table(arrays))
        parts = {part: pa.concat_tables(pieces) for part, pieces in tables.items()}
        if self.settings.unlabelled is not None:
            texts = [_text(Path(entry.path)) for entry in self._reviews("train", "unsup")]
            parts[UNLABELLED] = pa.table({"text": pa.array(texts, type=pa.string())})
        return gather(parts, SourceSettings(group=self.settings.group), f"data.source={self.path}")

    def _reviews(self, part: str, label: str) -> list[os.DirEntry[str]]:
        with os.scandir(self.path / part / label) as entries:
            found = [entry for entry in entries if entry.name.endswith(".txt") and not entry.name.startswith(".")]
        return sorted((entry for entry in found if entry.is_file()), key=lambda entry: entry.name)

    def _films(self, label: str, files: list[Path]) -> list[str]:
        """The film that each training review is about."""
        pages = self._pages(label)
        films = []
        for file in files:
            number = file.stem.partition("_")[0]
            if not number.isdecimal() or int(number) >= len(pages):
                msg = (
                    f"data.group=film: {self._urls(label)} has {len(pages):,} lines and none for {file.name}; "
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
        return [(part, label) for part in ("train", "test") for label in _LABELS if (self.path / part / label).is_dir()]


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{file}: byte {error.start + 1} is not UTF-8; save the file as UTF-8"
        raise UserError(msg) from error
