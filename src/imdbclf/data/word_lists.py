"""The words of many texts at once, in Arrow; the rule is that of `imdbclf.data.words`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.data.words import BYTE_TABLES, MARKS, normalised

ASCII_END = 128


def split_words(texts: pa.Array, *, marks: bool = False) -> pa.ListArray:
    """The words of each text.

    Args:
        texts: `string` array of n texts without nulls.
        marks: whether the ends of sentences are words.

    Returns:
        `list<string>` array of length n. Runs of blanks leave empty strings, which are no words; whoever numbers the
        words drops them, which is cheaper on numbers than on strings.
    """
    data, offsets = text_bytes(texts)
    # ASCII is lower-cased and filtered by one pass over the bytes of all texts; the few texts with other characters
    # go through Python, whose `lower` knows Unicode (and may change a text's length).
    lowered = pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(data.translate(BYTE_TABLES[marks]))]
    )
    other = _rows_beyond_ascii(data, offsets)
    if len(other):
        mask = np.zeros(len(texts), dtype=bool)
        mask[other] = True
        replacements = [normalised(data[offsets[row] : offsets[row + 1]].decode(), marks=marks) for row in other]
        lowered = pc.replace_with_mask(lowered, pa.array(mask), pa.array(replacements, type=pa.string()))
    return pc.split_pattern(_apart(lowered) if marks else lowered, " ")


def _apart(texts: pa.Array) -> pa.Array:
    """The texts with blanks around marks, one mark for a row of equal ones."""
    data, offsets = text_bytes(texts)
    letters = np.frombuffer(data, dtype=np.uint8).copy()
    is_mark = np.isin(letters, np.frombuffer(MARKS, dtype=np.uint8))
    again = np.zeros(len(letters), dtype=bool)
    again[1:] = is_mark[1:] & (letters[1:] == letters[:-1])
    # A text that begins as the one before it ends repeats nothing.
    again[offsets[:-1][offsets[:-1] < len(letters)]] = False
    letters[again] = ord(" ")
    is_mark &= ~again
    wide = np.repeat(letters, 1 + 2 * is_mark)
    first = np.flatnonzero(is_mark) + 2 * np.arange(np.count_nonzero(is_mark))
    wide[first], wide[first + 2] = ord(" "), ord(" ")
    moved = offsets + 2 * np.concatenate([np.zeros(1, dtype=np.int32), np.cumsum(is_mark, dtype=np.int32)])[offsets]
    return pa.Array.from_buffers(pa.string(), len(texts), [None, pa.py_buffer(moved), pa.py_buffer(wide)])


def text_bytes(texts: pa.Array) -> tuple[bytes, npt.NDArray[np.int32]]:
    """The UTF-8 of n texts one after the other, and where each begins and the last ends, int32 (n + 1,)."""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    start, end = int(offsets[0]), int(offsets[-1])
    return texts.buffers()[2].slice(start, end - start).to_pybytes(), offsets - offsets[0]


def _rows_beyond_ascii(data: bytes, offsets: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    if data.isascii():
        return np.zeros(0, dtype=np.int64)
    beyond = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) >= ASCII_END)
    return np.unique(np.searchsorted(offsets, beyond, side="right") - 1)
