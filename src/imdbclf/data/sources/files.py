"""Your own reviews: CSV, TSV, JSON Lines or Parquet, one file per part."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import json as arrow_json
from pyarrow import parquet

from imdbclf.data.sources.base import DEFAULTS, UNLABELLED, Reviews, gather, named_columns
from imdbclf.data.sources.labels import stored_names
from imdbclf.errors import UserError, one_line
from imdbclf.settings import SourceSettings

Reader = Callable[[Path, str], pa.Table]


def _delimited(delimiter: str) -> Reader:
    def read(path: Path, _text_column: str) -> pa.Table:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            names = next(csv.reader(stream, delimiter=delimiter), [])
        # Every column is text: a review may look like a number or a date, or be "NA". Reviews may contain line ends
        # inside quotes.
        return arrow_csv.read_csv(
            path,
            read_options=arrow_csv.ReadOptions(block_size=_block(path)),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )

    return read


def _block(path: Path) -> int:
    """Bytes that Arrow reads at a time. A review must fit; it may be longer than Arrow's default of one megabyte."""
    return min(max(path.stat().st_size, 1 << 20), 1 << 30)


def _json_lines(path: Path, text_column: str) -> pa.Table:
    # Without a schema, Arrow reads a text that looks like a date as a date.
    schema = pa.schema([(text_column, pa.string())])
    table = arrow_json.read_json(
        path,
        read_options=arrow_json.ReadOptions(block_size=_block(path)),
        parse_options=arrow_json.ParseOptions(explicit_schema=schema),
    )
    missing = table.column(text_column).null_count == table.num_rows
    return table.drop_columns([text_column]) if missing else table


SUFFIXES: dict[str, Reader] = {
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": lambda path, _text_column: parquet.read_table(path),
}
"""The reader of a file, by the end of its name. A new format is a line here."""


@dataclass(frozen=True)
class FilesSource:
    """One file for training, one for testing; either may be missing if it is not needed."""

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
            msg = f"data.train=null: must be a file that ends in {', '.join(SUFFIXES)} when data.source=files"
            raise UserError(msg)
        train, test, unlabelled = (_checked(settings, part) for part in ("train", "test", UNLABELLED))
        return cls(train, test, settings, unlabelled)

    @property
    def description(self) -> str:
        """`files TRAIN, TEST`."""
        return "files " + ", ".join(str(path) for path in self._paths().values())

    def fingerprint(self) -> str:
        """Hash of the contents and the names of the columns."""
        digest = hashlib.sha256(f"files {named_columns(self.settings)}".encode())
        for part, path in self._paths().items():
            with path.open("rb") as stream:
                digest.update(f"{part} {path.suffix}".encode() + hashlib.file_digest(stream, "sha256").digest())
            if path.suffix.lower() == ".parquet" and (names := _label_names(path, self.settings.label_column)):
                # Earlier versions did not use stored names.
                digest.update(repr(names).encode())
        return digest.hexdigest()

    def read(self) -> Reviews:
        """Read the files completely."""
        parts = {part: _table(path, self.settings.text_column) for part, path in self._paths().items()}
        return gather(parts, self.settings, self.description)

    def _paths(self) -> dict[str, Path]:
        named = {"train": self.train, "test": self.test, UNLABELLED: self.unlabelled}
        return {part: path for part, path in named.items() if path is not None}


def _label_names(path: Path, label_column: str) -> list[str] | None:
    try:
        return stored_names(parquet.read_schema(path), label_column)
    except pa.ArrowException:
        return None  # `read` says why


def _checked(settings: SourceSettings, part: str) -> Path | None:
    name: str | None = getattr(settings, part)
    if name is None:
        return None
    path = Path(name).expanduser()
    if path.suffix.lower() not in SUFFIXES:
        msg = f"data.{part}={name}: must end in one of {', '.join(SUFFIXES)}"
        raise UserError(msg)
    if not path.is_file():
        msg = f"data.{part}={name}: there is no such file"
        raise UserError(msg)
    return path.resolve()


def _table(path: Path, text_column: str) -> pa.Table:
    if path.stat().st_size == 0:
        msg = f"{path}: the file is empty; it must hold a text and a label column"
        raise UserError(msg)
    if path.suffix.lower() != ".parquet":
        _refuse_other_encodings(path)
    try:
        return SUFFIXES[path.suffix.lower()](path, text_column)
    except (pa.ArrowException, OSError) as error:
        msg = f"{path}: cannot be read as {path.suffix[1:]} ({one_line(error)[:160]})"
        raise UserError(msg) from error


def _refuse_other_encodings(path: Path) -> None:
    """Name the first line that is not UTF-8; Arrow's own message does not."""
    data = path.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        msg = f"{path}: line {line} is not UTF-8 (byte 0x{data[error.start]:02x}); save the file as UTF-8"
        raise UserError(msg) from error
