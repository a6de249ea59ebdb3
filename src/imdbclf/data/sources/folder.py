"""A folder in the Hub's layout: which of its files belong to which split, by its README or by their names."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from imdbclf.data.sources.base import DEFAULTS, UNLABELLED, Reviews, gather, named_columns
from imdbclf.data.sources.tables import READING_VERSION, content_hash, data_files, read_files
from imdbclf.errors import UserError, one_line
from imdbclf.settings import SourceSettings

_SHARD = re.compile(r"(?:.*[-._ ])?(\w+)-\d{5}-of-\d{5}\b")
_WORDS = {
    "train": "train training",
    "validation": "validation valid val dev",
    "test": "test testing eval evaluation",
}
"""Words in the names of files and folders, and the split that the Hub takes them for."""


@dataclass(frozen=True)
class FolderSource:
    """Any folder of data files. Its splits `train` and `test` are used; `test` is optional.

    The header of a README.md decides which file belongs to which split (`data.config` if it has several
    configurations), as on the Hub; else the names of files and folders decide. `settings.unlabelled` names a split of
    reviews without labels that is also read. What `save_to_disk` of `datasets` writes is such a folder, too.
    """

    path: Path
    settings: SourceSettings = DEFAULTS

    @property
    def description(self) -> str:
        """`folder PATH`."""
        return f"folder {self.path}"

    def fingerprint(self) -> str:
        """Hash of the names and contents of the files that are read (one second per gigabyte)."""
        columns = named_columns(self.settings, self.settings.unlabelled)
        digest = hashlib.sha256(f"folder {READING_VERSION} {columns} {self._class_names}".encode())
        for part, files in self._parts().items():
            for file in files:
                name = os.fsencode(file.relative_to(self.path).as_posix())
                digest.update(f"{part} {len(name)} ".encode() + name + content_hash(file))
        return digest.hexdigest()

    def read(self) -> Reviews:
        """Read `train` and `test`, and the split of unlabelled reviews if one is named."""
        where, wanted = f"data.source={self.path}", self.settings.unlabelled
        if not self._splits:
            msg = f"{where}: the folder is empty; it must hold reviews in the Hub's layout or as an aclImdb tree"
            raise UserError(msg)
        if "train" not in self._splits:
            msg = f"{where}: there is no split 'train' (only {', '.join(self._splits)})"
            raise UserError(msg)
        if wanted is not None and wanted not in (others := self._splits.keys() - {"train", "test"}):
            listed = ", ".join(sorted(others)) or "none there"
            msg = f"data.unlabelled={wanted}: must be null or a split of {self.path} without labels ({listed})"
            raise UserError(msg)
        parts = {}
        for part, files in self._parts().items():
            table = read_files(files, self.settings, labelled=part != UNLABELLED)
            parts[part] = self._with_class_names(table)
        return gather(parts, self.settings, where)

    def _parts(self) -> dict[str, list[Path]]:
        """The files of each part of the reviews."""
        named = {"train": "train", "test": "test", UNLABELLED: self.settings.unlabelled}
        return {part: self._splits[split] for part, split in named.items() if split in self._splits}

    @cached_property
    def _splits(self) -> dict[str, list[Path]]:
        """The existing files of each split."""
        config = self._config
        try:
            if named := config.get("data_files"):
                return self._named_files(named if isinstance(named, list) and isinstance(named[0], dict) else [named])
            files = data_files(self.path / _inside(config.get("data_dir") or "."))
        except (AttributeError, KeyError, TypeError, ValueError, NotImplementedError) as error:
            msg = f"{self.path / 'README.md'}: its data_files cannot be understood ({one_line(error)[:80]})"
            raise UserError(msg) from error
        splits = {file: split_of(file.relative_to(self.path)) for file in files}
        named_splits = sorted({split for split in splits.values() if split is not None})
        found = {split: [file for file in files if splits[file] == split] for split in named_splits}
        return found or ({"train": files} if files else {})

    def _named_files(self, entries: list[Any]) -> dict[str, list[Path]]:
        """The files that the README names, by split; a split without existing files is left out."""
        found: dict[str, list[Path]] = {}
        for entry in entries:
            split, paths = (entry["split"], entry["path"]) if isinstance(entry, dict) else ("train", entry)
            for pattern in paths if isinstance(paths, list) else [paths]:
                there = (file for file in self.path.glob(_inside(pattern)) if file.is_file())
                # Paths themselves have another order on Windows, without regard to case.
                files = sorted(there, key=lambda file: file.parts)
                found.setdefault(str(split), []).extend(files)
        return {split: files for split, files in found.items() if files}

    @cached_property
    def _head(self) -> dict[str, Any]:
        """The header of the README."""
        readme = self.path / "README.md"
        text = readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else ""
        if not (found := re.match(r"\ufeff?---\r?\n(.*?)\r?\n---", text, re.DOTALL)):
            return {}
        import yaml  # noqa: PLC0415 - most folders have no such header

        try:
            head = yaml.safe_load(found[1])
        except (yaml.YAMLError, RecursionError) as error:
            msg = f"{readme}: its header is no YAML ({one_line(error)[:120]})"
            raise UserError(msg) from error
        return head if isinstance(head, dict) else {}

    @cached_property
    def _config(self) -> dict[str, Any]:
        """The chosen configuration of the README."""
        listed = found if isinstance(found := self._head.get("configs"), list) else []
        configs = {str(config.get("config_name")): config for config in listed if isinstance(config, dict)}
        chosen = self.settings.config
        if chosen is None:
            defaults = [name for name, config in configs.items() if config.get("default") or len(configs) == 1]
            chosen = next(iter([*defaults, *({"default"} & configs.keys())]), None)
        if chosen in configs or (chosen is None and not configs):
            return configs.get(chosen or "", {})
        shown = "null" if chosen is None else chosen
        msg = f"data.config={shown}: must be one of the configurations of {self.path} ({', '.join(configs) or 'none'})"
        raise UserError(msg)

    @cached_property
    def _class_names(self) -> list[str] | None:
        """The names of the labels 0, 1, … in the README."""
        about: Any = self._head.get("dataset_info")
        for info in about if isinstance(about, list) else [about]:
            try:
                if info.get("config_name") in {None, self._config.get("config_name")}:
                    dtypes = {feature["name"]: feature["dtype"] for feature in info["features"]}
                    names = dtypes[self.settings.label_column]["class_label"]["names"]
                    return [str(names[number]) for number in sorted(names, key=int)]
            except (AttributeError, KeyError, TypeError, ValueError):
                continue
        return None

    def _with_class_names(self, table: pa.Table) -> pa.Table:
        """The table, with the README's names of labels where `datasets` stores them, if it has none of its own."""
        if self._class_names is None or b"huggingface" in (table.schema.metadata or {}):
            return table
        features = {self.settings.label_column: {"names": self._class_names, "_type": "ClassLabel"}}
        return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def _inside(pattern: str) -> str:
    """The pattern, which must not lead out of the folder."""
    if ".." in Path(pattern).parts:
        raise ValueError(pattern)
    return pattern


def split_of(file: Path) -> str | None:
    """The split that the relative name of a file says, or else the folder nearest to it; None if none does."""
    for name in reversed(file.parts):
        words = set(re.split(r"[-._ \d]+", name.lower()))
        for split, known in _WORDS.items():
            if words & set(known.split()):
                return split
        if (found := _SHARD.match(name)) and found[1] not in {"data", "part"}:
            return found[1]
    return None
