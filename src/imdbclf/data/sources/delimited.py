"""Delimited text, such as CSV and TSV: the file shows how it is written, and each row is checked."""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from imdbclf.data.sources.file_text import text_of
from imdbclf.errors import UserError
from imdbclf.setting_values import DELIMITERS, ESCAPES, QUOTES
from imdbclf.settings import SourceSettings

log = logging.getLogger(__name__)

csv.field_size_limit((1 << 31) - 1)  # a review may be longer than the module's default


class Rows(NamedTuple):
    """Columns, and the line of the file, from 1, on which each row begins; None if rows have no lines."""

    table: pa.Table
    lines: Sequence[int] | None = None

    def place(self, row: int) -> str:
        """Where row `row`, from 0, is."""
        return f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"


class _Dialect(NamedTuple):
    """How a delimited file is written, by the names in the settings."""

    delimiter: str
    quote: str = "double"
    escape: str = "none"

    def rows(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """The cells of each line that is not empty, and its number.

        Raises:
            csv.Error: for quotation marks that do not fit; the message names the line.
        """
        quote = QUOTES[self.quote]
        reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=DELIMITERS[self.delimiter],
            quotechar=quote,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            escapechar=ESCAPES[self.escape],
            strict=True,
        )
        line = 1
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            shown = str(error).replace("\t", "a tab")
            msg = f"line {line}: quotation marks do not fit ({shown})"
            raise csv.Error(msg) from error


def read_delimited(path: Path, settings: SourceSettings, usual: str) -> Rows:
    """The rows of text whose cells are delimited by `usual`, unless the file or the settings say otherwise.

    What the file shows is logged as a warning.

    Raises:
        UserError: for a row that does not fit; the message names the line.
    """
    text = text_of(path, settings.encoding)
    first = None
    for dialect in _dialects(text, usual, settings):
        try:
            rows = _fitting_rows(path, text, dialect, settings)
        except csv.Error as error:
            first = first or error
            continue
        found = zip(("delimiter", "quote", "escape"), dialect, _Dialect(usual), strict=True)
        if told := [f"data.{key}={one}" for key, one, other in found if one not in {other, getattr(settings, key)}]:
            log.warning("%s: read with %s%s", path, " ".join(told), f", since {first}" if first else "")
        return rows
    raise UserError(f"{path}: {first}; data.delimiter, data.quote and data.escape say how the file is written")


def _dialects(text: str, usual: str, settings: SourceSettings) -> list[_Dialect]:
    """What the file may be written like, the most usual first; what the settings say is not varied."""
    head = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    wanted = (settings.text_column, settings.label_column)

    def fit(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([head], delimiter=DELIMITERS[delimiter]), [])
        return sum(name in map(str.strip, cells) for name in wanted) if settings.header else 0, len(cells)

    delimiter = settings.delimiter or max([usual, *DELIMITERS], key=fit)
    tries = [("double", "none"), ("double", "backslash" if '\\"' in text else "none"), ("none", "none")]
    told = [(settings.quote or quote, settings.escape or escape) for quote, escape in tries]
    return [_Dialect(delimiter, quote, escape) for quote, escape in dict.fromkeys(told)]


def _fitting_rows(path: Path, text: str, dialect: _Dialect, settings: SourceSettings) -> Rows:
    """The rows of a delimited file; lines that repeat the header, as joined files have them, are left out.

    Raises:
        csv.Error: if there are none, or a row does not fit; the message names the line.
    """
    numbered = list(dialect.rows(text))
    if not numbered:
        msg = "there is no header line"
        raise csv.Error(msg)
    names = [cell.strip() for cell in numbered[0][1]]
    if not settings.header:
        names = [str(number) for number in range(1, len(names) + 1)]
    body = numbered[int(settings.header) :]
    for line, cells in body:
        if len(cells) != len(names):
            shown = " | ".join(repr(cell[:30]) for cell in cells[:4])
            msg = f"line {line} has {len(cells)} cells ({shown}) and the first line {len(names)}"
            raise csv.Error(msg)
    if settings.label_column in names and settings.quote is None:
        _refuse_swallowed(body, names.index(settings.label_column), len(names), dialect)
    kept = [row for row in body if not settings.header or [cell.strip() for cell in row[1]] != names]
    if repeats := sorted({line for line, _ in body} - {line for line, _ in kept}):
        body = kept
        log.warning("%s: line %d repeats the header line; such lines are left out (%d)", path, repeats[0], len(repeats))
    columns = [pa.array([cells[number] for _, cells in body], pa.string()) for number in range(len(names))]
    return Rows(pa.Table.from_arrays(columns, names=names), [line for line, _ in body])


def _refuse_swallowed(body: list[tuple[int, list[str]]], label: int, width: int, dialect: _Dialect) -> None:
    """Refuse a cell with line ends if a line in it looks like a row of its own: it has a label in the label's place."""
    known = {cells[label].strip() for _, cells in body if "\n" not in cells[label]}
    for line, cells in body:
        for column, cell in enumerate(cells):
            for inner in cell.splitlines() if "\n" in cell else ():
                pieces = [piece.strip().strip('"') for piece in inner.split(DELIMITERS[dialect.delimiter])]
                place = label - width if label > column else label
                if len(pieces) > 1 and -len(pieces) <= place < len(pieces) and pieces[place] in known:
                    found = "a quotation mark begins a cell that goes on over lines which look like rows"
                    ways = "data.quote=none reads rows, data.quote=double one cell"
                    msg = f"line {line}: {found} ({inner[-40:]!r}); {ways}"
                    raise csv.Error(msg)
