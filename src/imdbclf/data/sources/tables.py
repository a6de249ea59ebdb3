"""A file as a table, by the end of its name; its texts and labels are looked at."""

from __future__ import annotations

import hashlib
import json
import logging
import lzma
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from imdbclf.data.sources.delimited import Rows, read_delimited
from imdbclf.data.sources.file_text import PACKED, kind_of, text_of
from imdbclf.data.sources.labels import as_texts, by_name
from imdbclf.errors import UserError, one_line
from imdbclf.settings import SourceSettings

log = logging.getLogger(__name__)


def read_files(
    files: Sequence[Path], settings: SourceSettings, *, labelled: bool = True, class_names: Sequence[str] | None = None
) -> pa.Table:
    """The columns of all files, one after the other. If they are `labelled`, their labels become plain texts.

    Labels that are numbers get their names: those stored with the file, else the `class_names`. What is decided about a
    file, and texts without words, are logged as warnings.

    Raises:
        UserError: if a file is empty, or not what its name says, a row does not fit or has no label (the row is
            named), or the columns of the files have different types.
    """
    tables = []
    for file in files:
        rows = _with_usual_names(file, _read(file, settings), settings) if labelled else _read(file, settings)
        _look_at_texts(file, rows, settings.text_column)
        table, label_column = rows.table, settings.label_column
        if labelled and table.column_names.count(label_column) == 1:
            labels = _plain_labels(file, rows, by_name(table, label_column, class_names))
            table = table.set_column(table.column_names.index(label_column), label_column, labels)
        tables.append(table)
    if len(tables) == 1:
        return tables[0]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise UserError(f"{files[0].parent}: the files do not fit together ({one_line(error)[:160]})") from error


def _read(path: Path, settings: SourceSettings) -> Rows:
    kind = kind_of(path)
    try:
        if path.stat().st_size == 0:
            raise UserError(f"{path}: the file is empty; it must hold a text and a label column")
        rows = FORMATS[kind](path, settings)
        rows.table.validate(full=True)
    except (pa.ArrowException, OSError, EOFError, lzma.LZMAError, ValueError, OverflowError) as error:
        raise UserError(f"{path}: cannot be read as {kind[1:]} ({one_line(error)[:160]})") from error
    return rows


def _with_usual_names(path: Path, rows: Rows, settings: SourceSettings) -> Rows:
    """Rows of two columns with other names, if one has two values and must be the label; without settings only."""
    usual = [SourceSettings().text_column, SourceSettings().label_column]
    given, names, columns = [settings.text_column, settings.label_column], rows.table.column_names, rows.table.columns
    can_be = len(names) == len(usual) and not set(names) & set(usual) and all(map(str.isidentifier, names))
    if given != usual or not can_be or any(pa.types.is_nested(column.type) for column in columns):
        return rows
    has_two = [len(column.unique()) == 2 for column in columns]  # noqa: PLR2004 - labels
    if has_two[0] == has_two[1]:
        return rows
    found = usual if has_two[1] else usual[::-1]
    told = " ".join(f"data.{new}_column={old}" for new, old in zip(found, names, strict=True))
    log.warning("%s: read with %s, since only one of the two columns has two values", path, told)
    return Rows(rows.table.rename_columns(found), rows.lines)


def _look_at_texts(path: Path, rows: Rows, column: str) -> None:
    """Warn of texts without a character that can be seen."""
    if rows.table.column_names.count(column) == 1 and pa.types.is_string(rows.table[column].type):
        blank = pc.equal(pc.utf8_trim_whitespace(rows.table[column].fill_null("")), "")
        if count := pc.sum(blank).as_py():
            place = rows.place(pc.index(blank, True).as_py())
            log.warning("%s: %s has an empty text; there are %d such reviews", path, place, count)


def _plain_labels(path: Path, rows: Rows, labels: pa.ChunkedArray) -> pa.ChunkedArray:
    """The labels as `string` without blanks around them.

    Raises:
        UserError: if some reviews have a label and others have none; the first of these is named.
    """
    texts = as_texts(labels, f"{path}: labels")
    plain = pc.utf8_trim_whitespace(texts)
    row = pc.index(pc.not_equal(plain, texts), True).as_py()
    if row >= 0:
        shown = texts[row].as_py()
        log.warning("%s: %s has the label %r; blanks around labels are left out", path, rows.place(row), shown)
    plain = pc.if_else(pc.equal(plain, ""), None, plain)
    if 0 < plain.null_count < len(plain):
        row = pc.index(pc.is_null(plain), True).as_py()
        raise UserError(f"{path}: {rows.place(row)} has no label; every review needs one")
    return plain


def _json(path: Path, settings: SourceSettings) -> Rows:
    """One object a line, or an array of objects."""
    text = text_of(path, settings.encoding)
    if text.lstrip().startswith("["):
        lines, values = None, _parsed(text, path, "the array")
    else:
        numbered = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        lines = [number for number, _ in numbered]
        values = [_parsed(line, path, f"line {number}") for number, line in numbered]
    rows = Rows(pa.table({}), lines)
    wanted = {settings.text_column, settings.label_column, settings.group}
    for row, value in enumerate(values):
        if not isinstance(value, dict):
            msg = f"{path}: {rows.place(row)} is no object, but {json.dumps(value)[:40]}; each review must be an object"
            raise UserError(msg)
        for name in wanted & value.keys():
            cell = value[name]
            if isinstance(cell, list | dict) or (name == settings.text_column and not isinstance(cell, str | None)):
                msg = f"{path}: {rows.place(row)}: {name} is {json.dumps(cell)[:40]}, which is no single value or text"
                raise UserError(msg)
    names = dict.fromkeys(name for value in values for name in value)
    return Rows(pa.table({name: _column([value.get(name) for value in values]) for name in names}), lines)


def _parsed(text: str, path: Path, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        why = "values are nested too deeply" if isinstance(error, RecursionError) else one_line(error)[:120]
        raise UserError(f"{path}: cannot be read as {kind_of(path)[1:]} ({place}: {why})") from error


def _column(values: list[Any]) -> pa.Array:
    """The values of one type, else as texts; nested values become JSON."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1 or kinds & {list, dict}:
        values = [value if isinstance(value, str | None) else json.dumps(value, ensure_ascii=False) for value in values]
    return pa.array(values)


def _parquet(path: Path, _settings: SourceSettings) -> Rows:
    with parquet.ParquetFile(path) as file:
        return Rows(file.read())


def _arrow(path: Path, _settings: SourceSettings) -> Rows:
    """Arrow's stream, as `save_to_disk` of the package `datasets` writes it."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
        return Rows(stream.read_all())


FORMATS: dict[str, Callable[[Path, SourceSettings], Rows]] = {
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".csv": partial(read_delimited, usual="comma"),
    ".tsv": partial(read_delimited, usual="tab"),
    ".jsonl": _json,
    ".ndjson": _json,
    ".json": _json,
    ".txt": partial(read_delimited, usual="tab"),
}
"""The reader of a file, by the end of its name. A new format is a line here."""

_ENDS = tuple(kind + packed for kind in FORMATS for packed in ("", *PACKED))

SUFFIXES = f"{', '.join(FORMATS)}; text also compressed ({', '.join(PACKED)})"
"""The ends of file names, in words."""

READING_VERSION = 2
"""Increased when the same files give other texts or labels; part of the fingerprints."""

MOST_FILES = 200_000
"""Files below a folder; the original tree of the lecture's reviews has half of that."""

_HIDDEN = (".", "__")

_NO_REVIEWS = {"state.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json"}
"""What the package `datasets` writes beside the data."""


def data_files(path: Path, *, every_format: bool = False) -> list[Path]:
    """The file itself; of a folder, the files below it of its commonest format or of all, in order of their names.

    Hidden files, what a Mac adds to archives (`__MACOSX`), pipes and devices are left out. Links are followed.

    Raises:
        UserError: for a whole disk, and a folder of more than `MOST_FILES` files: to look at them takes too long.
    """
    if path.is_file():
        return [path]
    if path.absolute() == Path(path.absolute().anchor):
        raise UserError(f"{path}: is a whole disk; name the folder of the reviews")
    found: list[Path] = []
    seen, looked_at = set(), 0
    for folder, folders, names in os.walk(path, followlinks=True):
        if (place := _inode(folder)) in seen:
            folders.clear()  # a link to a folder above it
            continue
        seen.add(place)
        looked_at += len(names)
        if looked_at > MOST_FILES:
            raise UserError(f"{path}: has more than {MOST_FILES:,} files; name the folder of the reviews alone")
        folders[:] = [name for name in folders if not name.startswith(_HIDDEN)]
        wanted = (name for name in names if name.lower().endswith(_ENDS) and not name.startswith(_HIDDEN))
        files = [Path(folder, name) for name in wanted if name not in _NO_REVIEWS]
        found += [file for file in files if kind_of(file) in FORMATS and file.is_file()]
    kinds = [kind_of(file) for file in found]
    commonest = max(FORMATS, key=kinds.count)
    kept = [file for file, kind in zip(found, kinds, strict=True) if every_format or kind == commonest]
    return sorted(kept, key=lambda file: file.relative_to(path).as_posix())


def _inode(folder: str) -> tuple[int, int]:
    """What is equal for all names of a folder; a tenth of the time of resolving links."""
    found = Path(folder).stat()
    return found.st_dev, found.st_ino


def content_hash(file: Path) -> bytes:
    """SHA-256 of the file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
