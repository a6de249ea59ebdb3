"""Your own reviews: CSV, TSV, JSON or Parquet, one file or folder per part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.data.sources.base import DEFAULTS, UNLABELLED, Reviews, find_column, gather, named_columns
from imdbclf.data.sources.file_text import kind_of
from imdbclf.data.sources.labels import as_texts
from imdbclf.data.sources.tables import FORMATS, READING_VERSION, SUFFIXES, content_hash, data_files, read_files
from imdbclf.errors import UserError, listed
from imdbclf.settings import SourceSettings

_SHOWN = 10
"""Values of a column that a message lists."""


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
            UserError: if there is no training file, a file name has an unknown end, or there are two test parts.
        """
        if settings.train is None:
            raise UserError(f"data.train=null: must be a file when data.source=files; it must end in {SUFFIXES}")
        if settings.split_column is not None and settings.test is not None:
            raise UserError(f"data.split_column={settings.split_column}: must be null, because data.test names a file")
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
        if self.settings.split_column is None:
            return gather(parts, self.settings, self.description)
        divided, note = _divided(parts["train"], self.settings.split_column, self.description)
        reviews = gather({**parts, **divided}, self.settings, self.description)
        return replace(reviews, notes=(*reviews.notes, *note))

    def _paths(self) -> dict[str, Path]:
        named = {"train": self.train, "test": self.test, UNLABELLED: self.unlabelled}
        return {part: path for part, path in named.items() if path is not None}


def _divided(table: pa.Table, column: str, where: str) -> tuple[dict[str, pa.Table], tuple[str, ...]]:
    """The rows for training and for testing, as a column says, and a note of those that are for neither."""
    found = find_column(table, column, where, "data.split_column must be null or")
    values = pc.utf8_lower(pc.utf8_trim_whitespace(as_texts(found, f"{where}: the values of {column}")))
    parts = {part: table.filter(pc.equal(values, part)) for part in ("train", "test")}
    if not all(len(part) for part in parts.values()):
        there = listed(map(repr, sorted(values.unique().drop_null().to_pylist())), _SHOWN) or "no values"
        raise UserError(f"{where}: data.split_column={column}: must have the values train and test; it has {there}")
    others = len(table) - sum(map(len, parts.values()))
    note = f"{others:,} of {len(table):,} reviews are left out: their {column} is neither train nor test"
    return parts, (note,) if others else ()


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
