"""A folder in the Hub's layout: `datasets` says which of its files belong to which split."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imdbclf.data.sources.base import DEFAULTS, UNLABELLED, Reviews, gather, named_columns
from imdbclf.data.sources.tables import READING_VERSION, content_hash, data_files, read_files
from imdbclf.errors import UserError, one_line
from imdbclf.settings import SourceSettings

if TYPE_CHECKING:
    from datasets import DatasetBuilder

_PATTERN = re.compile(r"[][*?{}]|::")
"""What `datasets` takes for a pattern in the name of a folder."""


@dataclass(frozen=True)
class FolderSource:
    """Any folder of data files. Its splits `train` and `test` are used; `test` is optional.

    `datasets` decides which file belongs to which split (`data.config` if there are several configurations). The files
    are read as they are, without its copies in a cache and without its guesses about texts. `settings.unlabelled` names
    a split of reviews without labels that is also read. What `save_to_disk` of `datasets` writes is such a folder, too.
    """

    path: Path
    settings: SourceSettings = DEFAULTS

    @property
    def description(self) -> str:
        """`folder PATH`."""
        return f"folder {self.path}"

    def fingerprint(self) -> str:
        """Hash of the names and contents of all data files and of the README (one second per gigabyte).

        Which of them are read, only `datasets` knows. It takes a second to import.
        """
        columns = named_columns(self.settings, self.settings.unlabelled)
        digest = hashlib.sha256(f"folder {READING_VERSION} {columns} {self.settings.config}".encode())
        for file in [*self._readable(), *self.path.glob("README.md")]:
            name = os.fsencode(file.relative_to(self.path).as_posix())
            digest.update(f"{len(name)} ".encode() + name + content_hash(file))
        return digest.hexdigest()

    def read(self) -> Reviews:
        """Read `train` and `test`, and the split of unlabelled reviews if one is named."""
        where, splits = f"data.source={self.path}", self._splits
        if not splits:
            msg = f"{where}: the folder is empty; it must hold reviews in the Hub's layout or as an aclImdb tree"
            raise UserError(msg)
        for split in ("train", self.settings.test):
            if split is not None and split not in splits:
                raise UserError(f"{where}: there is no split '{split}' (only {', '.join(splits)})")
        others = sorted(splits.keys() - {"train", "test"})
        if self.settings.unlabelled not in {None, *others}:
            allowed = f"a split of {self.path} without labels ({', '.join(others) or 'none there'})"
            raise UserError(f"data.unlabelled={self.settings.unlabelled}: must be null or {allowed}")
        named = {"train": "train", "test": self.settings.test or "test", UNLABELLED: self.settings.unlabelled}
        names = getattr((self._builder.info.features or {}).get(self.settings.label_column), "names", None)
        parts = {
            part: read_files(splits[split], self.settings, labelled=part != UNLABELLED, class_names=names)
            for part, split in named.items()
            if split in splits
        }
        return gather(parts, self.settings, where)

    def _readable(self) -> list[Path]:
        """All data files; the lecture's unlabelled reviews only if they are asked for."""
        files = data_files(self.path, every_format=True)
        return [file for file in files if self.settings.unlabelled is not None or "unsupervised" not in file.name]

    @cached_property
    def _splits(self) -> dict[str, list[Path]]:
        """The files of each split. What is outside of the folder, hidden or no file is left out."""
        # `datasets` follows links.
        readable = {os.path.realpath(file): file for file in self._readable()}
        if not readable:
            return {}
        found = {
            str(split): [readable[real] for real in map(os.path.realpath, files) if real in readable]
            for split, files in (self._builder.config.data_files or {}).items()
        }
        return {split: files for split, files in found.items() if files}

    @cached_property
    def _builder(self) -> DatasetBuilder:
        """What `datasets` says about the folder without reading its files: their splits, and the names of labels.

        Raises:
            UserError: if it does not understand the folder, or the folder has several configurations.
        """
        import datasets  # noqa: PLC0415 - takes a second, and is not needed with a filled cache

        where, config = f"data.source={self.path}", self.settings.config
        if found := _PATTERN.search(str(self.path.absolute())):
            msg = f"{where}: has {found[0]!r} in its name, which is a pattern for `datasets`; rename the folder"
            raise UserError(msg)
        datasets.logging.set_verbosity(logging.CRITICAL)
        try:
            configs = self._configs()
            only = len(configs) == 1
            defaults = [name for name, about in configs.items() if only or name == "default" or about.get("default")]
            chosen = config or next(iter(defaults), None)
            if chosen in configs or not (chosen or configs):
                files = self._files_there(configs.get(chosen or "", {}))
                return datasets.load_dataset_builder(str(self.path), None if files else config, data_files=files)
        except Exception as error:
            # `datasets` raises errors of many kinds; all mean that the folder cannot be understood.
            raise UserError(f"{where}: cannot be read as a dataset ({one_line(error)[:200]})") from error
        shown, known = "null" if config is None else config, ", ".join(configs) or "none"
        raise UserError(f"data.config={shown}: must be one of the configurations of {self.path} ({known})")

    def _configs(self) -> dict[str, dict[str, Any]]:
        """The configurations that the README describes, by name."""
        import huggingface_hub  # noqa: PLC0415 - `datasets` imports it anyway

        readme = self.path / "README.md"
        head = (huggingface_hub.metadata_load(readme) if readme.is_file() else None) or {}
        return {config["config_name"]: config for config in head.get("configs") or []}

    def _files_there(self, config: dict[str, Any]) -> dict[str, list[str]] | None:
        """The files of each split that a configuration names; None if no split is missing, or it names no files.

        The lecture's dataset is downloaded without its unlabelled reviews; `datasets` fails if a split has no files.
        """
        files = config.get("data_files")
        if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
            return None
        named = {file["split"]: [file["path"]] if isinstance(file["path"], str) else file["path"] for file in files}
        there = {split: paths for split, paths in named.items() if any(any(self.path.glob(path)) for path in paths)}
        return there if len(there) < len(named) else None
