from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from imdbclf.data.sources.file_text import PACKED, kind_of, text_of
from imdbclf.errors import UserError

PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
}


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("packed", PACKED)
def test_a_compressed_file_is_unpacked(packed: str, tmp_path: Path) -> None:
    text = "é\r\n" * 500_000
    assert text_of(write(tmp_path / f"a.csv{packed}", PACK[packed](text.encode()))) == text


@pytest.mark.parametrize("packed", [".gz", ".zst"])
def test_a_file_that_becomes_far_too_large_is_refused(packed: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"a.csv{packed}", PACK[packed](bytes(70 << 20)))
    with pytest.raises(UserError) as error:
        text_of(path)
    assert str(error.value) == f"{path}: has more than 64 MiB when unpacked; unpack it if that is right"


@pytest.mark.parametrize(("name", "kind"), [("a.CSV", ".csv"), ("a.b.tsv.GZ", ".tsv"), ("gz", ""), ("a.gz", ".gz")])
def test_the_name_says_the_format(name: str, kind: str) -> None:
    assert kind_of(Path(name)) == kind


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_says_the_encoding_and_is_no_text(encoding: str, tmp_path: Path) -> None:
    assert text_of(write(tmp_path / "a.csv", "é\n".encode(encoding))) == "é\n"


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"a\n\x93caf\xe9\x94\n")
    assert text_of(path, "cp1252") == "a\n\u201ccafé\u201d\n"
    for encoding, line in (
        (None, "line 2 is not UTF-8 (byte 0x93); save the file as UTF-8, or say how it is encoded, for example "),
        ("ascii", "line 2 is not ascii (byte 0x93); give another data.encoding"),
    ):
        with pytest.raises(UserError) as error:
            text_of(path, encoding)
        assert str(error.value).startswith(f"{path}: {line}")
