"""Texts are given as soon as they are there, and many at once where many are."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imdbclf.errors import UserError
from imdbclf.inference import lines
from imdbclf.inference.lines import read_texts

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20)


def standard_input(contents: bytes, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(contents), encoding="utf-8"))


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, max_size=8), st.booleans(), st.sampled_from([1, 3, 1000]))
def test_the_texts_are_the_lines_without_their_ends(texts: list[str], ended: bool, at_once: int) -> None:
    contents = "\n".join(texts) + ("\n" if ended and texts else "")
    expected = [line.rstrip("\r\n") for line in io.StringIO(contents, newline="\n")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "READ_SIZE", at_once)
        standard_input(contents.encode(), patch)
        assert [text for batch in read_texts(None) for text in batch] == expected


def test_the_lines_of_a_file_come_in_batches_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "READ_SIZE", 100)
    file = tmp_path / "reviews.txt"
    file.write_text("".join(f"{number:09}\n" for number in range(25)))
    assert [len(batch) for batch in read_texts(file)] == [10, 10, 5]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end of a pipe to write to; standard input is the other end."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream, encoding="utf-8"))
        yield writing


def test_a_line_is_given_before_the_next_one_is_written(pipe: int) -> None:
    batches = read_texts(None)
    for text in ("first", "second"):
        os.write(pipe, f"{text}\n".encode())
        assert next(batches) == [text]
    os.write(pipe, b"part of ")
    threading.Timer(0.05, os.write, (pipe, b"a line\nno end")).start()
    assert next(filter(None, batches)) == ["part of a line"]
    os.close(pipe)
    assert [text for batch in batches for text in batch] == ["no end"]


def test_all_that_a_pipe_holds_is_one_batch(pipe: int) -> None:
    os.write(pipe, b"a\nb\nc\n")
    os.close(pipe)
    assert list(read_texts(None)) == [["a", "b", "c"]]


def test_a_writer_that_is_as_fast_as_the_reader_is_read_in_large_batches(pipe: int) -> None:
    line = b"x" * 999 + b"\n"

    def write() -> None:
        with os.fdopen(pipe, "wb") as stream:
            for _ in range(2000):
                stream.write(line)

    threading.Thread(target=write).start()
    sizes = [len(batch) for batch in read_texts(None)]
    assert sum(sizes) == 2000
    # A pipe holds 65 of these lines.
    assert max(sizes) > 100


def test_the_lines_before_one_that_is_not_utf8_are_given(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"good\nfine\nb\xe9d\nlater\n")
    batches = read_texts(tmp_path / "latin.txt")
    assert next(batches) == ["good", "fine"]
    with pytest.raises(UserError, match=r"latin\.txt: line 3 is not UTF-8 \(byte 0xe9\)$"):
        next(batches)


def test_lines_are_counted_over_all_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "READ_SIZE", 4)
    (tmp_path / "latin.txt").write_bytes(b"a\nb\nc\nd\n\xff\n")
    with pytest.raises(UserError, match=r"line 5 is not UTF-8 \(byte 0xff\)$"):
        list(read_texts(tmp_path / "latin.txt"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.txt: cannot be read \(No such file or directory\)$"):
        list(read_texts(tmp_path / "nowhere.txt"))


def test_on_a_terminal_people_are_told_how_to_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    standard_input(b"a\n", monkeypatch)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert list(read_texts(None)) == [["a"]]
    assert capsys.readouterr().err == "Type one review per line; Ctrl-D ends.\n"


def test_a_byte_order_mark_is_no_part_of_the_first_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = b"\xef\xbb\xbfgreat\n\xef\xbb\xbfgreat\n"
    (tmp_path / "reviews.txt").write_bytes(contents)
    standard_input(contents, monkeypatch)
    for name in (tmp_path / "reviews.txt", None):
        assert list(read_texts(name)) == [["great", "\ufeffgreat"]]


def test_a_line_without_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1 << 20)
    monkeypatch.setattr(lines, "READ_SIZE", 1 << 18)
    with pytest.raises(UserError, match=r"/dev/zero: line 1 has more than 1 MiB; give one review per line$"):
        list(read_texts(Path("/dev/zero")))


def test_a_closed_standard_input_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UserError, match="standard input is closed; give texts, or --file FILE"):
        list(read_texts(None))
