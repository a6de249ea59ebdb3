"""Your own reviews: CSV, TSV, JSON or Parquet, one file or folder per part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from imdbclf.data.sources.base import DEFAULTS, UNLABELLED, Reviews, gather, named_columns
from imdbclf.data.sources.file_text import kind_of
from imdbclf.data.sources.tables import FORMATS, READING_VERSION, SUFFIXES, content_hash, data_files, read_files
from imdbclf.errors import UserError
from imdbclf.settings import SourceSettings


@dataclass(frozen=True)
class FilesSource:
    """One file for training, one for testing; either may be missing if it is not needed.

    A folder stands for all files in it that have its commonest format.
    """

    train: Path | None
    test: Path | None
    settings: SourceSettings = DEFAULTS
    unlabelled: Path | None = None

    @classmethod
    def from_settings(cls, settings: SourceSettings) -> FilesSource:
        """The files that `data.train` and `data.test` name.

        Raises:
            UserError: if there is no training file, or a file name has an unknown end.
        """
        if settings.train is None:
            raise UserError(f"data.train=null: must be a file when data.source=files; it must end in {SUFFIXES}")
        train, test, unlabelled = (_checked(settings, part) for part in ("train", "test", UNLABELLED))
        return cls(train, test, settings, unlabelled)

    @property
    def description(self) -> str:
        """`files TRAIN, TEST`."""
        return "files " + ", ".join(str(path) for path in self._paths().values())

    def fingerprint(self) -> str:
        """Hash of the contents and the names of the columns."""
        digest = hashlib.sha256(f"files {READING_VERSION} {named_columns(self.settings)}".encode())
        for part, path in self._paths().items():
            for file in data_files(path):
                digest.update(f"{part} {kind_of(file)} {file.suffix}".encode() + content_hash(file))
        return digest.hexdigest()

    def read(self) -> Reviews:
        """Read the files completely."""
        parts = {
            part: read_files(data_files(path), self.settings, labelled=part != UNLABELLED)
            for part, path in self._paths().items()
        }
        return gather(parts, self.settings, self.description)

    def _paths(self) -> dict[str, Path]:
        named = {"train": self.train, "test": self.test, UNLABELLED: self.unlabelled}
        return {part: path for part, path in named.items() if path is not None}


def _checked(settings: SourceSettings, part: str) -> Path | None:
    name: str | None = getattr(settings, part)
    if name is None:
        return None
    # Links are not followed: the name of a link says the format.
    path = Path(name).expanduser().absolute()
    files = data_files(path)
    if not files or kind_of(files[0]) not in FORMATS:
        wrong = f"must be a file, or a folder of files, that ends in {SUFFIXES}"
        raise UserError(f"data.{part}={name}: {wrong if path.exists() else 'there is no such file'}")
    return path
