"""Files that are complete or absent, also after a power failure."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from glob import escape
from math import isfinite
from pathlib import Path
from typing import Any


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder; it is renamed to `path` on success, and deleted on an exception.

    What is written there can be a file or a folder; a folder that it replaces is absent for a moment.

    Its name is random, so that it does not overwrite another file. At every moment `path` is the old file or the whole
    new one: the contents are on the disk before the file gets its name.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        yield aside
        for piece in (*aside.rglob("*"), aside):
            flush(piece)
        if aside.is_dir() and path.exists():
            # A folder cannot replace another one in one step.
            path.replace(earlier := aside.with_suffix(".earlier"))
            aside.replace(path)
            shutil.rmtree(earlier)
        else:
            aside.replace(path)
        flush(path.parent)
    finally:
        if aside.is_dir():
            shutil.rmtree(aside)
        aside.unlink(missing_ok=True)


def remove_unfinished(path: Path) -> None:
    """Remove what processes left that were killed while they wrote this file; none may write it now."""
    for aside in path.parent.glob(f".{escape(path.name)}.{8 * '[0-9a-f]'}.partial"):
        aside.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Wait until the contents of a file, or the names in a folder, are on the disk."""
    is_folder = path.is_dir()
    # Windows and some network file systems cannot flush a folder.
    with suppress(OSError) if is_folder else nullcontext():
        descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_lock(path: Path) -> None:
    """Remove the file of a lock that was released. On Windows it stays if another process has it open."""
    with suppress(OSError):
        path.unlink()


def write_text(path: Path, text: str) -> None:
    """Write UTF-8, completely or not at all."""
    with atomic_write(path) as aside:
        aside.write_text(text, encoding="utf-8")


def copy_file(source: Path, target: Path) -> None:
    """Copy the contents of a file, completely or not at all."""
    with atomic_write(target) as aside:
        shutil.copyfile(source, aside)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None if there is no file, or no object in it."""
    try:
        contents = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return None
    return contents if isinstance(contents, dict) else None


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys of a YAML file, each of which may stand there once.

    A file that is not YAML raises errors of many types, and one with aliases a `ValueError`: ours have none, and with
    them a small file can stand for a huge one.
    """
    from omegaconf import OmegaConf  # noqa: PLC0415 - slow to import
    from yaml import AliasEvent, parse  # noqa: PLC0415

    if path.exists() and not path.is_file():
        # A device may have no end, and a pipe may wait forever.
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    text = path.read_text(encoding="utf-8")
    if any(isinstance(event, AliasEvent) for event in parse(text)):
        raise ValueError("it has aliases")
    contents: Any = OmegaConf.to_container(OmegaConf.create(text))
    return {str(key): value for key, value in contents.items()}


def write_json(path: Path, contents: dict[str, Any]) -> None:
    """Write indented JSON, completely or not at all."""
    write_text(path, json_text(contents) + "\n")


def json_text(contents: dict[str, Any], indent: int | None = 2) -> str:
    """The contents as JSON. It has no numbers for NaN and infinity: they become null."""
    return json.dumps(_finite(contents), indent=indent, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
