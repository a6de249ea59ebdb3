"""A folder in the Hub's layout, read offline by `datasets.load_dataset`."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from imdbclf.data.sources.base import DEFAULTS, UNLABELLED, Reviews, gather, named_columns
from imdbclf.errors import UserError, one_line
from imdbclf.settings import SourceSettings

_NOT_DATA = {".gitattributes", ".lock"}
"""The README is data: its header can say which file belongs to which part."""


@dataclass(frozen=True)
class FolderSource:
    """Any folder that `load_dataset(folder)` reads. Its splits `train` and `test` are used; `test` is optional.

    `settings.unlabelled` names a split of reviews without labels that is also read.
    """

    path: Path
    settings: SourceSettings = DEFAULTS

    @property
    def description(self) -> str:
        """`folder PATH`."""
        return f"folder {self.path}"

    def fingerprint(self) -> str:
        """Hash of the names and contents of the data files (one second per gigabyte)."""
        digest = hashlib.sha256(f"folder {named_columns(self.settings, self.settings.unlabelled)}".encode())
        for file in self._files():
            digest.update(str(file.relative_to(self.path)).encode())
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()

    def read(self) -> Reviews:
        """Read `train` and `test` through `datasets`."""
        where = f"data.source={self.path}"
        kinds = {file.suffix for file in self._files()} - {".md"}
        if not kinds:
            msg = f"{where}: the folder is empty; it must hold reviews in the Hub's layout or as an aclImdb tree"
            raise UserError(msg)
        splits = load_quietly(self.path, where, only_csv=kinds == {".csv"})
        if "train" not in splits:
            msg = f"{where}: there is no split 'train' (only {', '.join(splits)})"
            raise UserError(msg)
        parts: dict[str, pa.Table] = {
            part: splits[part].with_format("arrow")[:] for part in ("train", "test") if part in splits
        }
        if (name := self.settings.unlabelled) is not None:
            others = [split for split in splits if split not in {"train", "test"}]
            if name not in others:
                listed = ", ".join(others) or "none there"
                msg = f"data.unlabelled={name}: must be null or a split of {self.path} without labels ({listed})"
                raise UserError(msg)
            parts[UNLABELLED] = splits[name].with_format("arrow")[:]
        return gather(parts, self.settings, where)

    def _files(self) -> list[Path]:
        files = (file for file in self.path.rglob("*") if file.is_file())
        return sorted(
            file
            for file in files
            if file.suffix not in _NOT_DATA
            and not any(part.startswith((".", "_")) for part in file.relative_to(self.path).parts)
            and (self.settings.unlabelled is not None or "unsupervised" not in file.name)
        )


def load_quietly(path: Path, where: str, *, only_csv: bool) -> dict[str, Any]:
    """`datasets.load_dataset(path)` without progress bars, with errors in one line."""
    import datasets  # noqa: PLC0415 - takes a second, and is not needed with a filled cache

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(logging.CRITICAL)
    # "NA" and "null" are texts; pandas would read them as missing values.
    options: dict[str, Any] = {"keep_default_na": False} if only_csv else {}
    try:
        if present := _splits_that_are_there(path / "README.md"):
            options["data_files"] = present
        return dict(datasets.load_dataset(str(path), **options))
    except Exception as error:
        # The readers of `datasets` raise errors of many kinds; all mean that the folder cannot be read.
        root: BaseException = error
        while root.__cause__ is not None:
            root = root.__cause__
        msg = f"{where}: cannot be read as a dataset ({one_line(root)[:200]})"
        raise UserError(msg) from error


def _splits_that_are_there(readme: Path) -> dict[str, list[str]] | None:
    """The existing files of each split in the README's header; None if no split is missing or no files are named.

    The lecture's dataset is downloaded without its unlabelled reviews, and `datasets` fails if a split has no files.
    """
    import huggingface_hub  # noqa: PLC0415 - `datasets` imports it anyway

    head = (huggingface_hub.metadata_load(readme) if readme.is_file() else None) or {}
    configs = head.get("configs") or []
    (config,) = [config for config in configs if len(configs) == 1 or config.get("default")] or [{}]
    files = config.get("data_files") or []
    if not all(isinstance(file, dict) for file in files):
        return None
    named = {file["split"]: [file["path"]] if isinstance(file["path"], str) else file["path"] for file in files}
    present = {split: paths for split, paths in named.items() if any(any(readme.parent.glob(path)) for path in paths)}
    return present if len(present) < len(named) else None
