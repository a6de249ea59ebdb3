"""The words of many texts at once, in Arrow; the rule is that of `imdbclf.data.words`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.data.words import BYTE_TABLE, normalised

ASCII_END = 128


def split_words(texts: pa.Array) -> pa.ListArray:
    """The words of each text.

    Args:
        texts: `string` array of n texts without nulls.

    Returns:
        `list<string>` array of length n. Runs of blanks leave empty strings, which are no words; whoever numbers the
        words drops them, which is cheaper on numbers than on strings.
    """
    data, offsets = text_bytes(texts)
    # ASCII is lower-cased and filtered by one pass over the bytes of all texts; the few texts with other characters
    # go through Python, whose `lower` knows Unicode (and may change a text's length).
    lowered = pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(data.translate(BYTE_TABLE))]
    )
    other = _rows_beyond_ascii(data, offsets)
    if len(other):
        mask = np.zeros(len(texts), dtype=bool)
        mask[other] = True
        replacements = [normalised(data[offsets[row] : offsets[row + 1]].decode()) for row in other]
        lowered = pc.replace_with_mask(lowered, pa.array(mask), pa.array(replacements, type=pa.string()))
    return pc.split_pattern(lowered, " ")


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
