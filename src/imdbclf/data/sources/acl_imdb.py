"""The original folder tree of the Large Movie Review Dataset: `train|test/neg|pos/ID_RATING.txt`."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from imdbclf.data.sources.base import Reviews, gather
from imdbclf.errors import UserError

_LABELS = ("neg", "pos")


@dataclass(frozen=True)
class AclImdbSource:
    """An unpacked `aclImdb_v1`, read file by file."""

    path: Path

    @staticmethod
    def recognises(path: Path) -> bool:
        """Whether the folder looks like the original tree."""
        return all((path / "train" / label).is_dir() for label in _LABELS)

    @property
    def description(self) -> str:
        """`aclImdb folder PATH`."""
        return f"aclImdb folder {self.path}"

    def fingerprint(self) -> str:
        """Hash of the names, sizes and times of all files: reading 50,000 of them would take longer than encoding."""
        digest = hashlib.sha256(b"aclImdb")
        for part, label in self._folders():
            for entry in sorted(os.scandir(self.path / part / label), key=lambda entry: entry.name):
                about = entry.stat()
                digest.update(f"{part}/{label}/{entry.name} {about.st_size} {about.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def read(self) -> Reviews:
        """Read every `.txt` file of the tree."""
        tables: dict[str, list[pa.Table]] = {}
        for part, label in self._folders():
            texts = [_text(file) for file in sorted((self.path / part / label).glob("*.txt"))]
            labels = pa.array([label] * len(texts), type=pa.string())
            tables.setdefault(part, []).append(pa.table({"text": pa.array(texts, type=pa.string()), "label": labels}))
        parts = {part: pa.concat_tables(pieces) for part, pieces in tables.items()}
        return gather(parts, "text", "label", f"data.source={self.path}")

    def _folders(self) -> list[tuple[str, str]]:
        return [(part, label) for part in ("train", "test") for label in _LABELS if (self.path / part / label).is_dir()]


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"{file}: byte {error.start + 1} is not UTF-8; save the file as UTF-8"
        raise UserError(msg) from error
