"""The text of a file as people have it: compressed, with a byte-order mark, in another encoding than UTF-8."""

from __future__ import annotations

import codecs
import logging
import lzma
from functools import partial
from pathlib import Path

from imdbclf.errors import UserError, one_line

log = logging.getLogger(__name__)

_CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".xz": None}
PACKED = tuple(_CODECS)
"""Ends of the names of compressed files, after the end that says the format."""

SMALL, LARGE, RATIO = 1 << 26, 1 << 30, 100
"""Bytes that a compressed file may become: 64 MiB, or `RATIO` times its size up to 1 GiB. Text shrinks to a tenth."""


def kind_of(path: Path) -> str:
    """The format by the file's name: `.csv` for `reviews.CSV.gz`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return "" if not suffixes else suffixes[-2] if suffixes[-1] in PACKED and len(suffixes) > 1 else suffixes[-1]


def allowed_size(path: Path) -> int:
    """Bytes that the compressed file may become."""
    return min(LARGE, max(SMALL, RATIO * path.stat().st_size))


def text_of(path: Path, encoding: str | None = None) -> str:
    """The text of the file, without a byte-order mark; UTF-8 unless `encoding` or the mark says otherwise.

    Raises:
        UserError: for bytes that are none of the encoding (the message names the line), or a compressed file that
            becomes too large.
        OSError, EOFError, lzma.LZMAError: for a file that cannot be read.
    """
    data = _content(path)
    if encoding is None and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
        log.warning("%s: read with data.encoding=utf-16, as its first bytes say", path)
    try:
        return data.decode(encoding or "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        ways = "save the file as UTF-8, or say how it is encoded, for example data.encoding=cp1252"
        found = f"line {line} is not {encoding or 'UTF-8'} (byte 0x{data[error.start]:02x})"
        raise UserError(f"{path}: {found}; {'give another data.encoding' if encoding else ways}") from error
    except UnicodeError as error:
        msg = f"data.encoding={encoding}: cannot be the encoding of {path} ({one_line(error)[:80]})"
        raise UserError(msg) from error


def _content(path: Path) -> bytes:
    """All bytes of the file, unpacked."""
    packed = path.suffix.lower()
    if packed not in PACKED:
        return path.read_bytes()
    import pyarrow as pa  # noqa: PLC0415 - slow; whether a file has columns, its name says without it

    opened = lzma.open if packed == ".xz" else partial(pa.input_stream, compression=_CODECS[packed])
    allowed = allowed_size(path)
    with opened(str(path)) as stream:
        content: bytes = stream.read(allowed + 1)
    if len(content) > allowed:
        raise UserError(f"{path}: has more than {allowed >> 20:,} MiB when unpacked; unpack it if that is right")
    return content
