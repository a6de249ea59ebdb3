"""Texts from a file or a pipe, one a line: as many as are there now, without waiting for more."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import cast

from imdbclf.data.sources.file_text import kind_of
from imdbclf.errors import UserError

END_KEYS = "Ctrl-Z, then Enter," if os.name == "nt" else "Ctrl-D"

READ_SIZE = 1 << 22
"""Bytes read at a time, at most: some three thousand reviews, which are classified together."""

LONGEST = 1 << 24
"""Bytes of a line at most; what is longer has no line ends, and would fill the memory."""

PATIENCE = 0.001
"""Seconds in which a busy writer fills its pipe again."""


def is_table(path: Path) -> bool:
    """Whether the file's name says that it has columns; it may be compressed."""
    if (kind := kind_of(path)) in {"", ".txt"}:
        return False
    from imdbclf.data.sources.tables import FORMATS  # noqa: PLC0415 - imports pyarrow, which such a file needs anyway

    return kind in FORMATS


def read_texts(file: Path | None) -> Iterator[list[str]]:
    """The lines of the file, or of standard input, in batches.

    A batch has the lines that are there, so that a slow writer gets its answer to each line before the next one.

    Raises:
        UserError: if the file cannot be read, or a line is too long or not UTF-8; the lines before it are given first.
    """
    name = "standard input" if file is None else str(file)
    if file is None and not sys.stdin:
        raise UserError("standard input is closed; give texts, or --file FILE")
    if file is None and sys.stdin.isatty():
        sys.stderr.write(f"Type one review per line; {END_KEYS} ends.\n")
    try:
        with sys.stdin.buffer if file is None else file.open("rb") as stream:
            yield from _batches(cast("BufferedReader", stream), name)
    except OSError as error:
        raise UserError(f"{name}: cannot be read ({error.strerror})") from error


def _batches(stream: BufferedReader, name: str) -> Iterator[list[str]]:
    number = 0
    for lines in _lines(stream):
        texts: list[str] = []
        for line in lines:
            number += 1
            if len(line) > LONGEST:
                yield texts
                raise UserError(f"{name}: line {number} has more than {LONGEST >> 20} MiB; give one review per line")
            try:
                # A byte-order mark is no part of the first text.
                texts.append(line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n"))
            except UnicodeDecodeError as error:
                yield texts
                raise UserError(f"{name}: line {number} is not UTF-8 (byte 0x{line[error.start]:02x})") from error
        yield texts


def _lines(stream: BufferedReader) -> Iterator[list[bytes]]:
    """The whole lines that are there, again and again; waits only where there are none. The last may have no end."""
    rest = b""
    while chunk := bytearray(stream.read1(READ_SIZE)):
        while len(chunk) < READ_SIZE and _has_more(stream) and (piece := stream.read1(READ_SIZE - len(chunk))):
            chunk += piece
        *lines, rest = (rest + chunk).split(b"\n")
        yield lines
        if len(rest) > LONGEST:
            break
    if rest:
        yield [rest]


def _has_more(stream: BufferedReader) -> bool:
    try:
        return bool(select.select([stream], [], [], PATIENCE)[0])
    except (OSError, ValueError):
        # What is no file of the system, and on Windows a pipe, does not say.
        return False
